import { ServiceError } from '../errors.ts';

/**
 * Parses a JSON body.
 *
 * @throws {ServiceError} INVALID_REQUEST for what is not JSON in UTF-8. The text itself is never quoted.
 */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new ServiceError('INVALID_REQUEST', { detail: 'The body is not valid JSON.' });
  }
}
