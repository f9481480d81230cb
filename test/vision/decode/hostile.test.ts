import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../../src/vision/decode/decode.ts';
import { gif, webp } from '../../support/hostile/animations.ts';
import { avif, codedPicture, grid } from '../../support/hostile/avif.ts';
import { repeat, zeros } from '../../support/hostile/bytes.ts';
import {
  circularExif,
  emptyScans,
  exifSegment,
  profileSegment,
  segment,
  withSegments,
} from '../../support/hostile/jpeg.ts';
import { HOSTILE_PICTURES, hostileBytes } from '../../support/hostile/pictures.ts';
import { chunk, png, textBomb } from '../../support/hostile/png.ts';
import { profile, program } from '../../support/hostile/profile.ts';
import { pages, tiff, unknownTags } from '../../support/hostile/tiff.ts';
import { blobs, bytesOf } from '../../support/pictures.ts';

const LIMIT = 100_000_000;

describe('a small file that would keep a decoder busy is refused before the decoder sees it', () => {
  it.each(HOSTILE_PICTURES)('$name', async (picture) => {
    await expect(decodePicture(await hostileBytes(picture), LIMIT)).rejects.toMatchObject({
      code: 'INVALID_IMAGE',
      detail: expect.stringMatching(picture.refused),
    });
  });
});

const photograph = (side = 64) => blobs(side, side, side);
const jpeg = (side?: number) => photograph(side).jpeg().toBuffer();
const coded = async (side: number) => codedPicture(await photograph(side).avif({ effort: 0 }).toBuffer());

describe('a file whose decoder speaks of memory', () => {
  it('is to blame when it declares a tiled picture without pixels', async () => {
    const { configuration, data } = await coded(48);
    const layout = Uint8Array.of(0, 0, 1, 1, 0, 0, 0, 0);
    const bytes = avif(configuration, [
      { type: 'grid', data: layout, size: [90, 90], sources: [2, 2, 2, 2] },
      { type: 'av01', data, size: [48, 48] },
    ]);
    await expect(decodePicture(bytesOf(bytes), LIMIT)).rejects.toMatchObject({ code: 'INVALID_IMAGE' });
  });
});

describe('what is unusual but harmless is decoded', () => {
  it.each<[string, number, number, () => Uint8Array | Promise<Uint8Array>]>([
    ['a panorama', 20_000, 4_000, () => png(20_000, 4_000, { bits: 1, colour: 'grey' })],
    ['a strip of 100 to 1', 20_000, 200, () => png(20_000, 200)],
    ['a column of 1 × 1,000', 1, 1000, () => png(1, 1000)],
    ['a progressive JPEG', 64, 64, () => photograph().jpeg({ progressive: true }).toBuffer()],
    ['a JPEG of 60 scans', 64, 64, () => emptyScans(64, 64, 60)],
    [
      'a JPEG with 1,000 comments',
      64,
      64,
      async () => withSegments(await jpeg(), repeat(segment(0xfe), 1000)),
    ],
    [
      'a JPEG with EXIF that points thrice',
      64,
      64,
      async () => withSegments(await jpeg(), exifSegment(circularExif(3))),
    ],
    [
      'a JPEG with a short program of colours',
      64,
      64,
      async () => withSegments(await jpeg(), profileSegment(profile(program(3)))),
    ],
    ['a JPEG of four channels', 64, 64, () => photograph().toColourspace('cmyk').jpeg().toBuffer()],
    [
      'a JPEG with the profile of a press',
      64,
      64,
      () => photograph().withIccProfile('cmyk').jpeg().toBuffer(),
    ],
    ['a PNG with a compressed text', 64, 64, () => png(64, 64, { extra: [textBomb(100_000)] })],
    [
      'a PNG with 1,000 chunks',
      64,
      64,
      () => png(64, 64, { extra: [repeat(chunk('teXt', zeros(10)), 1000)] }),
    ],
    [
      'an interlaced PNG of 16 bits with alpha',
      64,
      64,
      () => png(64, 64, { bits: 16, colour: 'rgba', interlaced: true }),
    ],
    ['a WebP of 1,000 frames', 64, 64, () => webp(64, 64, 1000)],
    ['a GIF of 1,000 frames', 64, 64, () => gif(64, 64, 1000)],
    ['a TIFF of 100 pages', 8, 8, () => pages(100)],
    ['a TIFF with 100 unknown tags', 8, 8, () => unknownTags(100)],
    [
      'a TIFF of JPEG tiles',
      64,
      64,
      () => photograph().tiff({ compression: 'jpeg', tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer(),
    ],
    ['a TIFF in CMYK', 64, 64, () => tiff(64, 64, { colours: 5 })],
    [
      'an AVIF of two layers',
      64,
      64,
      async () => {
        const { configuration, data } = await coded(64);
        return avif(configuration, [{ type: 'av01', data: repeat(data, 2), size: [64, 64] }]);
      },
    ],
    ['an AVIF of tiles', 1000, 1000, async () => grid(await coded(512), 512, 2, 1000)],
    [
      'an AVIF that is turned',
      64,
      64,
      async () => {
        const { configuration, data } = await coded(64);
        return avif(configuration, [{ type: 'av01', data, size: [64, 64], turns: 1 }]);
      },
    ],
  ])('%s', async (_name, width, height, make) => {
    expect(await decodePicture(bytesOf(await make()), LIMIT)).toMatchObject({ width, height });
  });
});

describe('the limit of pixels is checked before anything is decoded', () => {
  it.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)('%s', async (format) => {
    const bytes = bytesOf(
      await sharp(await jpeg(100))
        .resize(100, 50, { fit: 'fill' })
        .toFormat(format)
        .toBuffer(),
    );
    await expect(decodePicture(bytes, 4999)).rejects.toMatchObject({
      code: 'IMAGE_TOO_LARGE',
      detail: '5000 pixels; the limit is 4999.',
    });
    expect(await decodePicture(bytes, 5000)).toMatchObject({ width: 100, height: 50 });
  });
});
