import { isAscii } from 'node:buffer';
import { ServiceError } from '../errors.ts';

/**
 * Parses a JSON body.
 *
 * @throws {ServiceError} INVALID_REQUEST for what is not JSON in UTF-8. The text itself is never quoted.
 */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeText(bytes));
  } catch {
    throw invalidJson();
  }
}

export function invalidJson(): ServiceError {
  return new ServiceError('INVALID_REQUEST', { detail: 'The body is not valid JSON.' });
}

/** Large bodies are base64 or digits, hence ASCII: taking those as they are costs a fraction of decoding UTF-8. */
function decodeText(bytes: Uint8Array): string {
  if (isAscii(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}
