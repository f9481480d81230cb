import sharp, { type Sharp } from 'sharp';
import { blobs } from '../../support/pictures.ts';
import { hasRealWeights, photo } from '../../support/shared.ts';
import type { Picture } from './cases.ts';
import type { Format } from './formats.ts';

/** A photograph of a face where there is one, else coloured blobs. Not yet encoded. */
export function subject(width: number, height: number): Sharp {
  if (!hasRealWeights) return blobs(15, width, height);
  return sharp(photo('lfw/Al_Gore_0002.jpg')).removeAlpha().resize(width, height, { fit: 'fill' });
}

const encode = async (name: string, format: Format, image: Sharp): Promise<Picture> => ({
  name: `${format} ${name}`,
  format,
  bytes: await image.toBuffer(),
});

/** Small pictures in every variant of every format that encoders commonly write. */
export async function ordinaryPictures(): Promise<Picture[]> {
  const small = () => subject(160, 120);
  const withAlpha = () => small().ensureAlpha(0.5);
  const frames = await sharp([await small().png().toBuffer(), await small().flip().png().toBuffer()], {
    join: { animated: true },
  })
    .gif()
    .toBuffer();
  const animated = () => sharp(frames, { animated: true });
  return Promise.all([
    encode('baseline', 'jpeg', small().jpeg()),
    encode('progressive', 'jpeg', small().jpeg({ progressive: true, quality: 50 })),
    encode('without subsampling', 'jpeg', small().jpeg({ chromaSubsampling: '4:4:4' })),
    encode('grey', 'jpeg', small().greyscale().jpeg()),
    encode('CMYK', 'jpeg', small().toColourspace('cmyk').jpeg()),
    encode(
      'turned, with profile',
      'jpeg',
      small().withMetadata({ orientation: 6 }).withIccProfile('p3').jpeg(),
    ),
    encode('RGB', 'png', small().png()),
    encode('RGBA', 'png', withAlpha().png({ compressionLevel: 1 })),
    encode('palette', 'png', small().png({ palette: true, colours: 16 })),
    encode('16 bit', 'png', small().toColourspace('rgb16').png()),
    encode('interlaced', 'png', small().png({ progressive: true })),
    encode('lossy', 'webp', small().webp()),
    encode('lossless', 'webp', small().webp({ lossless: true })),
    encode('alpha', 'webp', withAlpha().webp({ alphaQuality: 40 })),
    encode('animated', 'webp', animated().webp()),
    encode('still', 'gif', small().gif({ colours: 32 })),
    encode('interlaced', 'gif', small().gif({ progressive: true })),
    encode('animated', 'gif', animated().gif()),
    encode('plain', 'tiff', small().tiff({ compression: 'none' })),
    encode('LZW', 'tiff', small().tiff({ compression: 'lzw', predictor: 'horizontal' })),
    encode('deflate', 'tiff', small().tiff({ compression: 'deflate' })),
    encode('JPEG', 'tiff', small().tiff({ compression: 'jpeg' })),
    encode(
      'tiles',
      'tiff',
      small().tiff({ compression: 'packbits', tile: true, tileWidth: 32, tileHeight: 32 }),
    ),
    encode('pyramid', 'tiff', small().tiff({ pyramid: true, tile: true })),
    encode('16 bit', 'tiff', small().toColourspace('rgb16').tiff({ compression: 'lzw' })),
    encode('fax', 'tiff', small().toColourspace('b-w').tiff({ compression: 'ccittfax4', bitdepth: 1 })),
    encode('4:2:0', 'avif', small().avif({ effort: 0, chromaSubsampling: '4:2:0' })),
    encode('4:4:4', 'avif', small().avif({ effort: 0 })),
    encode('alpha', 'avif', withAlpha().avif({ effort: 0 })),
    encode('lossless', 'avif', small().avif({ effort: 0, lossless: true })),
  ]);
}
