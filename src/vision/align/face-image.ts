import sharp from 'sharp';
import type { AlignedFace } from '../recognise/recogniser.ts';

/** Visibly the face, at about 5 kB. */
const JPEG_QUALITY = 90;

/**
 * Encodes an aligned face as a JPEG data URL, at the size that the recogniser takes. Full colour resolution: a small
 * picture does not grow much by it.
 */
export async function encodeFaceImage({ pixels, size }: AlignedFace): Promise<string> {
  const jpeg = await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .jpeg({ quality: JPEG_QUALITY, chromaSubsampling: '4:4:4' })
    .toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
}
