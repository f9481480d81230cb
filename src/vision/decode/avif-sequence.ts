import { ascii, startsWith } from './format.ts';

const BRAND_AT = 8;

/**
 * An animated AVIF (AV1 Image File Format, 3: the brand `avis`) also contains its first frame as a still picture. libvips
 * opens a file by its first brand, so this one gets that of a still picture.
 *
 * @returns a copy, or the same bytes for a still picture.
 */
export function asStillPicture(bytes: Uint8Array): Uint8Array {
  if (!startsWith(bytes, ascii('avis'), BRAND_AT)) return bytes;
  const copy = new Uint8Array(bytes);
  copy.set(ascii('avif'), BRAND_AT);
  return copy;
}
