import { ServiceError } from '../errors.ts';

/**
 * @param what is counted, in the plural.
 * @throws {ServiceError} REQUEST_TOO_LARGE.
 */
export function assertAtMost(count: number, limit: number, what: string): void {
  if (count <= limit) return;
  throw new ServiceError('REQUEST_TOO_LARGE', { detail: `${count} ${what}; the limit is ${limit}.` });
}
