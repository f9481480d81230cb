import type { Context } from 'hono';
import { ServiceError } from '../errors.ts';
import type { AppEnvironment } from '../http/context.ts';

/** Longest name of an option in an error: names come from the caller. */
const MAX_NAME_LENGTH = 100;

/**
 * The query's parameters.
 *
 * @throws {ServiceError} INVALID_REQUEST when one is given more than once.
 */
export function queryOf(c: Context<AppEnvironment>): Record<string, string> {
  const query: Record<string, string> = Object.create(null);
  for (const [name, values] of Object.entries(c.req.queries())) {
    if (values.length > 1) {
      throw new ServiceError('INVALID_REQUEST', {
        detail: `${name.slice(0, MAX_NAME_LENGTH)}: given more than once in the query`,
      });
    }
    query[name] = values[0] as string;
  }
  return query;
}
