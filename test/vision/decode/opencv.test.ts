import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type DecodeOptions, decodePicture } from '../../../src/vision/decode/decode.ts';
import { encodeForm, FORMS } from '../../support/colour-forms.ts';

/** SHA-256 (the first 16 digits) of the RGB bytes that OpenCV 5.0.0 makes of each form: cv2.imdecode with IMREAD_COLOR. */
const SAME: Record<string, string> = {
  JPEG: '3eacd930cef618b6',
  'JPEG, grey': '54dba1c8deb951e8',
  'JPEG, Display P3': '6197a990cb23f141',
  'JPEG, CMYK': '62c277c9c215f373',
  'JPEG, CMYK without Adobe’s segment': '62c277c9c215f373',
  'JPEG, YCCK': 'bc1ae5dced29a309',
  'JPEG, orientation 6': '90a3c8a1ecd591ad',
  PNG: 'cae6bba4f83e8fbb',
  'PNG, interlaced': 'cae6bba4f83e8fbb',
  'PNG, Display P3': 'd63b690d3315f425',
  'PNG, alpha': 'cae6bba4f83e8fbb',
  'PNG, grey': 'a0ee9082549f13dc',
  'PNG, grey and alpha': 'a0ee9082549f13dc',
  'PNG, 16 bits': 'cae6bba4f83e8fbb',
  'PNG, 16 bits and alpha': 'cae6bba4f83e8fbb',
  'PNG, 16 bits, grey': 'a0ee9082549f13dc',
  'PNG, palette': 'a8617e9c4d2d6689',
  'PNG, palette of 2': '0879a2c928926ab0',
  'PNG, palette with alpha': 'a76772cf19bad529',
  'PNG, tRNS': 'cae6bba4f83e8fbb',
  'PNG, grey, tRNS': 'a0ee9082549f13dc',
  'PNG, orientation 6': 'c449f3a8f730bef4',
  'PNG, orientation 3': '16b3a84648efac21',
  TIFF: 'cae6bba4f83e8fbb',
  'TIFF, Display P3': 'd63b690d3315f425',
  'TIFF, grey': 'a0ee9082549f13dc',
  'TIFF, 1 bit': 'f973415189ae1f7b',
  'TIFF, 16 bits': '974b6e9333606fa6',
  'TIFF, 16 bits, grey': 'a0ee9082549f13dc',
  'TIFF, CMYK': '15017e32835b7189',
  'TIFF, JPEG inside': '0a5fe0d6252ece70',
  'TIFF, grey and alpha': 'a0ee9082549f13dc',
  'TIFF, orientation 6': 'c449f3a8f730bef4',
  WebP: 'c13e842e76f4e2df',
  'WebP, lossless': 'cae6bba4f83e8fbb',
  'WebP, Display P3': 'd63b690d3315f425',
  'WebP, alpha': 'cae6bba4f83e8fbb',
  GIF: 'aab708deeece1580',
  'AVIF, lossless': 'cae6bba4f83e8fbb',
};

/** Forms of which OpenCV's pixels are close: the largest difference, and its sixth row of RGB bytes in base64. */
const CLOSE: [name: string, levels: number, row: string][] = [
  [
    'AVIF, 4:4:4',
    1,
    'AUpHCkpKFEtQH0tWJ0tZMUxfO0tiRktnUExtW0p0ZUl5b0p9eEuCgkuFjUuLlUuQoEuWqkuZs0uevUykykmr00qw3Eqz5ku3',
  ],
  [
    'AVIF, 4:2:0',
    10,
    'BkhHC0lKFUpQIUtXKklbNEtfPEpjRkloUEpuW0tyZkt4b0p9eEuCgUuHjUuLl0qQoUqWrEubtUqgvkumykmr1Uqw3Eq14ky4',
  ],
  [
    'AVIF, Display P3',
    1,
    'HktIIE1KJExMKk1TMExXOUxdQEthR0tmUEtqWExwX011aU57ck2Ae06FhE6Kjk+Olk+TnlGXqFGdsVKgulKlxFOrzFWx1Fe1',
  ],
];

const LIMIT = 1_000_000;
const decode = async (name: string, options?: DecodeOptions) =>
  decodePicture(await encodeForm(name), LIMIT, options);
const hashOf = (pixels: Uint8Array) => createHash('sha256').update(pixels).digest('hex').slice(0, 16);

describe('the pixels are those of OpenCV', () => {
  it.each(Object.entries(SAME))('%s', async (name, hash) => {
    expect(hashOf((await decode(name)).data)).toBe(hash);
  });

  it.each(CLOSE)('%s, within %i levels', async (name, levels, row) => {
    const { data, width } = await decode(name);
    const ours = data.subarray(5 * 3 * width, 6 * 3 * width);
    const theirs = Buffer.from(row, 'base64');
    expect(ours).toHaveLength(theirs.length);
    const differences = Array.from(theirs, (level, index) => Math.abs(level - (ours[index] as number)));
    expect(Math.max(...differences)).toBeLessThanOrEqual(levels);
  });
});

describe('where OpenCV’s pixels are wrong, they are', () => {
  it.each(['AVIF, orientation 6', 'WebP, orientation 6'])('%s: turned upright', async (name) => {
    expect(hashOf((await decode(name)).data)).toBe(SAME['PNG, orientation 6']);
  });

  it('TIFF, alpha: the colours under it, as in a PNG', async () => {
    expect(hashOf((await decode('TIFF, alpha')).data)).toBe(SAME['PNG, alpha']);
  });

  it('GIF, transparent: black where it is transparent', async () => {
    const { data } = await decode('GIF, transparent');
    expect([...data.subarray(0, 3)]).toEqual([0, 0, 0]);
  });
});

it('every form is compared', () => {
  const named = [...Object.keys(SAME), ...CLOSE.map(([name]) => name)];
  const wrong = ['AVIF, orientation 6', 'WebP, orientation 6', 'TIFF, alpha', 'GIF, transparent'];
  expect([...named, ...wrong].sort()).toEqual(Object.keys(FORMS).sort());
});

describe('a colour profile', () => {
  const WIDE = Object.keys(FORMS).filter((name) => name.includes('Display P3'));

  it.each(WIDE)('%s: changes the colours where it is honoured', async (name) => {
    const honoured = (await decode(name, { colourProfiles: 'honour' })).data;
    const ignored = (await decode(name)).data;
    const original = (await decode('PNG')).data;
    const differences = (pixels: Uint8Array) =>
      pixels.reduce((sum, level, index) => sum + Math.abs(level - (original[index] as number)), 0);
    expect(differences(honoured)).toBeLessThan(differences(ignored) / 2);
  });

  it('of inks is applied where it is honoured', async () => {
    const bytes = await encodeForm('JPEG, CMYK');
    const { data } = await decodePicture(bytes, LIMIT, { colourProfiles: 'honour' });
    const byProfile = await sharp(bytes).toColourspace('srgb').raw().toBuffer();
    expect(byProfile.equals(data)).toBe(true);
  });
});
