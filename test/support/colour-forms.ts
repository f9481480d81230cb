import sharp, { type Sharp } from 'sharp';
import { chunk } from './hostile/png.ts';

/*
 * One small picture in the forms in which cameras, phones and scanners write colours. The tests compare what is decoded with what
 * OpenCV makes of the same bytes.
 */

const WIDTH = 24;
const HEIGHT = 16;
const PIXELS = WIDTH * HEIGHT;
const size = { width: WIDTH, height: HEIGHT };

/** Red grows to the right, green downwards, blue in both directions. */
const levels = Uint8Array.from({ length: 3 * PIXELS }, (_, index) => {
  const x = Math.floor(index / 3) % WIDTH;
  const y = Math.floor(index / 3 / WIDTH);
  return [10 * x, 15 * y, 40 + 5 * x + 6 * y][index % 3] as number;
});
/** 16 bits whose lower byte matters. */
const deep = Uint16Array.from(levels, (level, index) => 256 * level + ((index * 37) % 256));

const everyPixel = (numbers: ArrayLike<number>, channels: number[], alpha?: (pixel: number) => number) =>
  Array.from({ length: PIXELS }, (_, pixel) => [
    ...channels.map((channel) => numbers[3 * pixel + channel] as number),
    ...(alpha ? [alpha(pixel)] : []),
  ]).flat();

const picture = (channels: number[] = [0, 1, 2], alpha?: (pixel: number) => number) =>
  sharp(Uint8Array.from(everyPixel(levels, channels, alpha)), {
    raw: { ...size, channels: (channels.length + (alpha ? 1 : 0)) as 1 | 2 | 3 | 4 },
  });
const deepPicture = (channels: number[] = [0, 1, 2], alpha?: (pixel: number) => number) =>
  sharp(Uint16Array.from(everyPixel(deep, channels, alpha)), {
    raw: { ...size, channels: (channels.length + (alpha ? 1 : 0)) as 1 | 2 | 3 | 4 },
  });

const someAlpha = (pixel: number) => (7 * pixel) % 256;
const deepAlpha = (pixel: number) => (539 * pixel) % 65536;
const colour = () => picture();
const turned = (orientation: number) => colour().withMetadata({ orientation });
const wide = () => colour().withIccProfile('p3');

/** A colour that counts as transparent, in a PNG without alpha. */
async function withTransparent(png: Sharp, ...numbers: number[]): Promise<Buffer> {
  const bytes = await png.png().toBuffer();
  const value = Buffer.from(numbers.flatMap((number) => [number >> 8, number & 255]));
  // After the signature of 8 bytes and the header of 25.
  return Buffer.concat([bytes.subarray(0, 33), chunk('tRNS', value), bytes.subarray(33)]);
}

/** Without Adobe's segment, 4 channels are inks as they are and not inverted. */
async function withoutAdobe(jpeg: Sharp): Promise<Buffer> {
  const bytes = await jpeg.jpeg({ quality: 95 }).toBuffer();
  const at = bytes.indexOf(Buffer.from([0xff, 0xee]));
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 2 + bytes.readUInt16BE(at + 2))]);
}

/** Adobe's segment says that the channels are YCbCr and black. */
async function asYcck(jpeg: Sharp): Promise<Buffer> {
  const bytes = await jpeg.jpeg({ quality: 95 }).toBuffer();
  // After the marker, its length, "Adobe", a version and two times two flags.
  bytes[bytes.indexOf(Buffer.from([0xff, 0xee])) + 15] = 2;
  return bytes;
}

export const FORMS: Record<string, () => Sharp | Promise<Buffer>> = {
  JPEG: () => colour().jpeg(),
  'JPEG, grey': () => colour().greyscale().jpeg(),
  'JPEG, Display P3': () => wide().jpeg(),
  'JPEG, CMYK': () => colour().toColourspace('cmyk').jpeg({ quality: 95 }),
  'JPEG, CMYK without Adobe’s segment': () => withoutAdobe(colour().toColourspace('cmyk')),
  'JPEG, YCCK': () => asYcck(colour().toColourspace('cmyk')),
  'JPEG, orientation 6': () => turned(6).jpeg({ quality: 95 }),
  PNG: () => colour().png(),
  'PNG, interlaced': () => colour().png({ progressive: true }),
  'PNG, Display P3': () => wide().png(),
  'PNG, alpha': () => picture([0, 1, 2], someAlpha).png(),
  'PNG, grey': () => picture([0]).toColourspace('b-w').png(),
  'PNG, grey and alpha': () => picture([0], someAlpha).toColourspace('b-w').png(),
  'PNG, 16 bits': () => deepPicture().toColourspace('rgb16').png(),
  'PNG, 16 bits and alpha': () => deepPicture([0, 1, 2], deepAlpha).toColourspace('rgb16').png(),
  'PNG, 16 bits, grey': () => deepPicture([0]).toColourspace('grey16').png(),
  'PNG, palette': () => colour().png({ palette: true }),
  'PNG, palette of 2': () => colour().png({ palette: true, colours: 2, dither: 0 }),
  'PNG, palette with alpha': () => picture([0, 1, 2], someAlpha).png({ palette: true }),
  'PNG, tRNS': () => withTransparent(colour(), 10, 15, 51),
  'PNG, grey, tRNS': () => withTransparent(picture([0]).toColourspace('b-w'), 10),
  'PNG, orientation 6': () => turned(6).png(),
  'PNG, orientation 3': () => turned(3).png(),
  TIFF: () => colour().tiff({ compression: 'lzw' }),
  'TIFF, Display P3': () => wide().tiff({ compression: 'lzw' }),
  'TIFF, grey': () => picture([0]).toColourspace('b-w').tiff({ compression: 'lzw' }),
  'TIFF, 1 bit': () => colour().greyscale().tiff({ compression: 'none', bitdepth: 1 }),
  'TIFF, 16 bits': () => deepPicture().toColourspace('rgb16').tiff({ compression: 'lzw' }),
  'TIFF, 16 bits, grey': () => deepPicture([0]).toColourspace('grey16').tiff({ compression: 'lzw' }),
  'TIFF, CMYK': () => colour().toColourspace('cmyk').tiff({ compression: 'lzw' }),
  'TIFF, JPEG inside': () => colour().tiff({ compression: 'jpeg', quality: 90 }),
  'TIFF, alpha': () => picture([0, 1, 2], someAlpha).tiff({ compression: 'lzw' }),
  'TIFF, grey and alpha': () => picture([0], someAlpha).toColourspace('b-w').tiff({ compression: 'lzw' }),
  'TIFF, orientation 6': () => turned(6).tiff({ compression: 'lzw' }),
  WebP: () => colour().webp({ quality: 90 }),
  'WebP, lossless': () => colour().webp({ lossless: true }),
  'WebP, Display P3': () => wide().webp({ lossless: true }),
  'WebP, alpha': () => picture([0, 1, 2], someAlpha).webp({ lossless: true, exact: true }),
  'WebP, orientation 6': () => turned(6).webp({ lossless: true }),
  GIF: () => colour().gif(),
  'GIF, transparent': () => picture([0, 1, 2], (pixel) => (pixel % 5 === 0 ? 0 : 255)).gif(),
  'AVIF, lossless': () => colour().avif({ lossless: true }),
  'AVIF, 4:4:4': () => colour().avif({ quality: 90, chromaSubsampling: '4:4:4' }),
  'AVIF, 4:2:0': () => colour().avif({ quality: 90, chromaSubsampling: '4:2:0' }),
  'AVIF, Display P3': () => wide().avif({ quality: 90, chromaSubsampling: '4:4:4' }),
  'AVIF, orientation 6': () => turned(6).avif({ lossless: true }),
};

export async function encodeForm(name: string): Promise<Uint8Array> {
  const form = await (FORMS[name] as () => Sharp | Promise<Buffer>)();
  return Buffer.isBuffer(form) ? form : await form.toBuffer();
}
