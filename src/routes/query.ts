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

/**
 * The options of the query and of the body together.
 *
 * @param body is returned as it is unless it is an object, for its schema to refuse.
 * @throws {ServiceError} INVALID_REQUEST when both give the same option.
 */
export function combineOptions(query: object, body: unknown): unknown {
  const names = Object.keys(query);
  if (names.length === 0 || typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const twice = names.find((name) => Object.hasOwn(body, name));
  if (twice !== undefined) {
    throw new ServiceError('INVALID_REQUEST', { detail: `${twice}: given in the query and in the body` });
  }
  return { ...query, ...body };
}
