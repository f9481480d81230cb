import { ServiceError } from '../errors.ts';

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
