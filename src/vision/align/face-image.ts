import sharp from 'sharp';
import type { AlignedFace } from './alignment.ts';

/** Shows the face clearly in about 5 kB. */
const JPEG_QUALITY = 90;

/**
 * Encodes an aligned face as a JPEG data URL, at the size of the recogniser's input. Chroma is not subsampled, which adds
 * little to so small an image.
 */
export async function encodeFaceImage({ pixels, size }: AlignedFace): Promise<string> {
  const jpeg = await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .jpeg({ quality: JPEG_QUALITY, chromaSubsampling: '4:4:4' })
    .toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
}
