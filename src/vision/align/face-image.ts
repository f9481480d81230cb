import sharp from 'sharp';
import type { AlignedFace } from './alignment.ts';
import type { FaceFormat } from './face-format.ts';

/** Shows the face clearly in about 5 kB. Chroma is not subsampled, which adds little to so small an image. */
const JPEG = { quality: 90, chromaSubsampling: '4:4:4' } as const;

/**
 * Encodes an aligned face as a data URL, at the size of the recogniser's input.
 *
 * @param format `png` keeps every pixel as it is.
 */
export async function encodeFaceImage(
  { pixels, size }: Pick<AlignedFace, 'pixels' | 'size'>,
  format: FaceFormat = 'jpeg',
): Promise<string> {
  const image = sharp(pixels, { raw: { width: size, height: size, channels: 3 } });
  const bytes = await (format === 'png' ? image.png() : image.jpeg(JPEG)).toBuffer();
  return `data:image/${format};base64,${bytes.toString('base64')}`;
}
