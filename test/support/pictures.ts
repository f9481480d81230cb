import sharp from 'sharp';
import { seededRandom } from './numbers.ts';

/** A picture of smooth coloured blobs, different for each seed. Not yet encoded. */
export function blobs(seed: number, width = 320, height = 240) {
  const random = seededRandom(seed);
  const small = Buffer.from(Array.from({ length: 8 * 6 * 3 }, () => Math.floor(random() * 256)));
  return sharp(small, { raw: { width: 8, height: 6, channels: 3 } }).resize(width, height, {
    kernel: 'cubic',
    fit: 'fill',
  });
}

export const blobsPng = async (seed: number, width?: number, height?: number) =>
  bytesOf(await blobs(seed, width, height).png().toBuffer());

/** A picture without any contrast. */
export const blankPng = async (width = 320, height = 240) =>
  bytesOf(
    await sharp({ create: { width, height, channels: 3, background: '#808080' } })
      .png()
      .toBuffer(),
  );

/** A copy in a buffer of its own, which can be transferred. */
export const bytesOf = (buffer: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(buffer);

/** A picture of 49 megapixels in 160 kilobytes: decoding it takes a worker about half a second. */
export const slowPng = () => blankPng(7000, 7000);
