import { type Base64Text, decodeBase64 } from '../base64.ts';
import type { GivenImage } from '../engine/embed-images.ts';

/** `data:image/jpeg;base64,` and the like; the media type is ignored. */
const DATA_URL_HEAD = /^data:[^,]{0,200},/i;

/** White space before a data URL, as templates and line breaks of shells leave it. */
const MAX_BLANK = 64;

/**
 * Reads an image from a JSON string: a data URL or bare base64.
 *
 * @returns the bytes, or a refusal (INVALID_IMAGE, or IMAGE_TOO_LARGE for more than `maxBytes` bytes): one image of several
 *   must not fail the others.
 * @throws {ServiceError} INVALID_REQUEST when a LongText is not a valid JSON string.
 */
export function readImageText(text: Base64Text, maxBytes: number): GivenImage {
  const blank = text.slice(0, MAX_BLANK).match(/^\s*/)?.[0].length ?? 0;
  const beginning = text.slice(blank, blank + 210);
  const head = beginning.match(DATA_URL_HEAD)?.[0] ?? '';
  if (head !== '' && !/;base64,$/i.test(head)) return invalid('A data URL must be base64-encoded.');
  if (/^https?:\/\//i.test(beginning)) return invalid('URLs are not fetched; send the image itself.');
  const bytes = decodeBase64(text, blank + head.length);
  if (bytes === undefined) return invalid('The image is not valid base64.');
  if (bytes.length > maxBytes) {
    return { code: 'IMAGE_TOO_LARGE', detail: `${bytes.length} bytes; the limit is ${maxBytes}.` };
  }
  return bytes;
}

function invalid(detail: string): GivenImage {
  return { code: 'INVALID_IMAGE', detail };
}
