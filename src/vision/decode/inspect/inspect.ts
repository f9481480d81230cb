import { ServiceError } from '../../../errors.ts';
import type { ImageFormat } from '../format.ts';
import { inspectAvif, inspectHeic } from './avif.ts';
import { inspectBmp } from './bmp.ts';
import { inspectGif } from './gif.ts';
import { inspectJpeg } from './jpeg.ts';
import { inspectJpeg2000 } from './jpeg2000.ts';
import { ANY_ASPECT_SIDE, MAX_ASPECT_RATIO, refuse, type Size } from './limits.ts';
import { inspectPng } from './png.ts';
import { inspectTiff } from './tiff.ts';
import { inspectWebp } from './webp.ts';

/**
 * Each reads the structure of a file as the decoder does, in time that its bytes bound. It refuses what would keep the decoder
 * busy, and leaves other mistakes to the decoder.
 */
const INSPECTIONS: Record<ImageFormat, (bytes: Uint8Array, maxPixels: number) => Size | undefined> = {
  jpeg: (bytes) => inspectJpeg(bytes),
  png: inspectPng,
  webp: inspectWebp,
  gif: inspectGif,
  tiff: inspectTiff,
  avif: inspectAvif,
  bmp: inspectBmp,
  jp2: inspectJpeg2000,
  heic: inspectHeic,
};

/**
 * Refuses a picture that would take much longer to decode than an ordinary one of its size, before a decoder sees it.
 *
 * @throws {ServiceError} IMAGE_TOO_LARGE or INVALID_IMAGE.
 */
export function inspectImage(bytes: Uint8Array, format: ImageFormat, maxPixels: number): void {
  const size = INSPECTIONS[format](bytes, maxPixels);
  if (size === undefined) return;
  const { width, height } = size;
  const pixels = width * height;
  if (pixels > maxPixels) {
    throw new ServiceError('IMAGE_TOO_LARGE', { detail: `${pixels} pixels; the limit is ${maxPixels}.` });
  }
  const longer = Math.max(width, height);
  if (longer > ANY_ASPECT_SIDE && longer > MAX_ASPECT_RATIO * Math.min(width, height)) {
    refuse(`${width} × ${height} pixels; one side may be at most ${MAX_ASPECT_RATIO} times the other.`);
  }
}
