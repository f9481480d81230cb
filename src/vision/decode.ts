import sharp from 'sharp';
import { ServiceError } from '../errors.ts';
import { sniffImageFormat } from './format.ts';

/** An upright picture: 8-bit sRGB, three interleaved channels, no padding between rows. */
export interface Picture {
  /** height × width × 3 bytes. */
  data: Uint8Array;
  width: number;
  height: number;
}

// libvips can open far more than the six formats, SVG among them; what is not needed must not be reachable.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}Buffer`),
});
// One job at a time per worker, and nothing is decoded twice.
sharp.concurrency(1);
sharp.cache(false);

/**
 * Decodes the first frame of an encoded image: upright by its EXIF orientation, converted to 8-bit sRGB by its colour
 * profile, without alpha (the colours under it stay as they are, as in OpenCV).
 *
 * @param maxPixels pixels (width × height) above which the image is refused before it is decoded.
 * @throws {ServiceError} UNSUPPORTED_FORMAT, IMAGE_TOO_LARGE or INVALID_IMAGE.
 */
export async function decodePicture(bytes: Uint8Array, maxPixels: number): Promise<Picture> {
  sniffImageFormat(bytes);
  // "error" and not "warning": phones write JPEGs with harmless irregularities. Truncation still fails.
  const pipeline = sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error', sequentialRead: true })
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw({ depth: 'uchar' });
  try {
    // Not toUint8Array, which never frees its pixels (sharp 0.35.5; test/system/memory.test.ts).
    const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
    if (info.channels === 3) return { data, width: info.width, height: info.height };
  } catch {
    // What libvips says may quote metadata of the image, so it goes to nobody.
    await refuseTooLarge(bytes, maxPixels);
  }
  throw new ServiceError('INVALID_IMAGE', { detail: 'The image is broken or truncated.' });
}

/** libvips refuses too many pixels before it decodes any, but in words only. The header tells it apart from "broken". */
async function refuseTooLarge(bytes: Uint8Array, maxPixels: number): Promise<void> {
  const header = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch(() => undefined);
  const pixels = header ? header.width * (header.pageHeight ?? header.height) : 0;
  if (pixels > maxPixels) {
    throw new ServiceError('IMAGE_TOO_LARGE', { detail: `${pixels} pixels; the limit is ${maxPixels}.` });
  }
}
