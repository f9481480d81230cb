import sharp from 'sharp';
import { ServiceError } from '../../errors.ts';
import type { Picture } from '../picture.ts';
import { sniffImageFormat } from './format.ts';
import { inspectImage } from './inspect/inspect.ts';
import { machineFault } from './machine-fault.ts';
import { keepPixelsInMemory } from './pixels-in-memory.ts';
import { decodePlainJpeg } from './plain-jpeg.ts';

// For programs that decode on their main thread. The service also calls it before its workers start.
keepPixelsInMemory();
// libvips opens far more than the six formats, SVG among them; clients must not reach the other loaders.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}Buffer`),
});
// Workers run in parallel, so each decodes on one thread; no image is decoded twice, so a cache is of no use.
sharp.concurrency(1);
sharp.cache(false);

/**
 * Decodes the first frame of an encoded image: turned upright by its EXIF orientation, converted to 8-bit sRGB by its colour
 * profile, and without alpha (the colours under it do not change, as in OpenCV).
 *
 * @param maxPixels pixels (width × height) above which the image is refused before it is decoded.
 * @param reducedSide a JPEG is decoded at an eighth or a quarter of its size if its longer side keeps at least this many
 *   pixels, which takes less time; 0 always decodes in full.
 * @throws {ServiceError} UNSUPPORTED_FORMAT, IMAGE_TOO_LARGE or INVALID_IMAGE.
 * @throws {Error} if it is the machine's fault, for example for want of memory.
 */
export async function decodePicture(bytes: Uint8Array, maxPixels: number, reducedSide = 0): Promise<Picture> {
  const format = sniffImageFormat(bytes);
  inspectImage(bytes, format, maxPixels);
  const reduced =
    reducedSide > 0 && format === 'jpeg' ? await reducedSize(bytes, maxPixels, reducedSide) : undefined;
  const plain = format === 'jpeg' && !reduced ? await decodePlainJpeg(bytes, maxPixels) : undefined;
  if (plain) return { ...plain, original: { width: plain.width, height: plain.height } };
  // "error" and not "warning": phones write JPEGs with harmless irregularities. Truncation still fails.
  const pipeline = sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error', sequentialRead: true })
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw({ depth: 'uchar' });
  if (reduced) pipeline.resize({ ...reduced.size, fit: 'fill', kernel: 'linear' });
  try {
    // Not toUint8Array, which leaks its pixels (sharp 0.35.5; test/system/memory.test.ts).
    const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    if (channels === 3) {
      // Not a Buffer: V8 compiles the loops that read pixels for one class, and slower code for two.
      const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return { data: pixels, width, height, original: reduced?.original ?? { width, height } };
    }
  } catch (error) {
    // The message of libvips may quote the image's metadata, so it is neither logged nor returned.
    const fault = machineFault(error);
    if (fault) throw fault;
  }
  throw new ServiceError('INVALID_IMAGE', { detail: 'The image is broken or truncated.' });
}

/** The factors by which libjpeg reduces while decoding. A factor of two takes longer than decoding in full. */
const REDUCTIONS = [8, 4];

/** @returns undefined for a picture to be decoded in full. Sizes are those of the upright picture. */
async function reducedSize(
  bytes: Uint8Array,
  maxPixels: number,
  minSide: number,
): Promise<{ original: Picture['original']; size: { width: number; height: number } } | undefined> {
  const header = await sharp(bytes, { limitInputPixels: maxPixels })
    .metadata()
    .catch(() => undefined);
  if (header === undefined) return undefined;
  const { width, height } = header.autoOrient;
  const factor = REDUCTIONS.find((reduction) => Math.max(width, height) / reduction >= minSide);
  if (factor === undefined) return undefined;
  const reduce = (side: number) => Math.max(1, Math.floor(side / factor));
  return { original: { width, height }, size: { width: reduce(width), height: reduce(height) } };
}
