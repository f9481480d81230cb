import { type Base64Text, decodeBase64 } from '../base64.ts';
import type { GivenImage } from '../engine/embed-images.ts';
import { ServiceError } from '../errors.ts';

/** `data:image/jpeg;base64,` and the like; the label is not looked at. */
const DATA_URL_HEAD = /^data:[^,]{0,200},/i;

/**
 * Reads an image from a JSON string: a data URL or bare base64.
 *
 * @throws {ServiceError} INVALID_IMAGE for anything else, IMAGE_TOO_LARGE for more than `maxBytes` bytes, INVALID_REQUEST
 *   when it is no JSON string after all.
 */
function decodeImageText(text: Base64Text, maxBytes: number): Uint8Array<ArrayBuffer> {
  const beginning = text.slice(0, 210);
  const head = beginning.match(DATA_URL_HEAD)?.[0] ?? '';
  if (head !== '' && !/;base64,$/i.test(head)) {
    throw new ServiceError('INVALID_IMAGE', { detail: 'A data URL must be base64-encoded.' });
  }
  if (/^https?:\/\//i.test(beginning)) {
    throw new ServiceError('INVALID_IMAGE', { detail: 'URLs are not fetched; send the image itself.' });
  }
  const bytes = decodeBase64(text, head.length);
  if (bytes === undefined)
    throw new ServiceError('INVALID_IMAGE', { detail: 'The image is not valid base64.' });
  if (bytes.length > maxBytes) {
    throw new ServiceError('IMAGE_TOO_LARGE', { detail: `${bytes.length} bytes; the limit is ${maxBytes}.` });
  }
  return bytes;
}

/** The same for one of several images, which must not fail with it: what is wrong with the text becomes a refusal. */
export function readImageText(text: Base64Text, maxBytes: number): GivenImage {
  try {
    return decodeImageText(text, maxBytes);
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code === 'INVALID_REQUEST') throw error;
    return { code: error.code, detail: error.detail ?? '' };
  }
}
