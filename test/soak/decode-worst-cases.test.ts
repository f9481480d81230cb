import sharp, { type Sharp } from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { decodePicture } from '../../src/vision/decode/decode.ts';
import type { ImageFormat } from '../../src/vision/decode/format.ts';
import { gif, webp, webpChunk } from '../support/hostile/animations.ts';
import { avif, codedPicture, grid } from '../support/hostile/avif.ts';
import { repeat, zeros } from '../support/hostile/bytes.ts';
import {
  circularExif,
  emptyScans,
  exifSegment,
  profileSegment,
  segment,
  withSegments,
} from '../support/hostile/jpeg.ts';
import { chunk, png, profileChunk, textBomb } from '../support/hostile/png.ts';
import { curves, profile, program } from '../support/hostile/profile.ts';
import { pages, sharedValues, tiff, unknownTags } from '../support/hostile/tiff.ts';
import { seededRandom } from '../support/numbers.ts';
import { blobs, bytesOf } from '../support/pictures.ts';

/** An ordinary photograph of the same pixels may take a twentieth of the time. */
const MAX_RATIO = 20;
const LIMIT = 50_000_000;
/** Smaller pictures are compared with photographs of this side: what they take is mostly set-up, 31 ms for CMYK. */
const SMALLEST_SIDE = 1000;
const LARGE = 4000;

/** About 0.3 bytes for a pixel. */
const AS_PHONES = { quality: 92 };

const random = seededRandom(1);
const NOISE = Int8Array.from({ length: 1 << 16 }, () => 24 * (random() - 0.5));

/** With the noise of a camera. */
async function photograph(width: number, height = width): Promise<Sharp> {
  const pixels = await blobs(7, width, height).raw().toBuffer();
  // Rows of noise that begin at different places.
  for (let at = 0; at < pixels.length; at++) {
    pixels[at] = Math.min(
      255,
      Math.max(0, (pixels[at] as number) + (NOISE[(at * 7919 + (at >> 16)) & 0xffff] as number)),
    );
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}
const encoded = (picture: Sharp) => picture.toBuffer();
const coded = async (side: number) =>
  codedPicture(await (await photograph(side)).avif({ effort: 0 }).toBuffer());
const turned = (picture: Sharp) => picture.withExif({ IFD0: { Orientation: '6' } });

type Case = [
  name: string,
  format: ImageFormat,
  width: number,
  height: number,
  make: () => Uint8Array | Promise<Uint8Array>,
];

/** The worst that the limits let pass, of each kind. */
const CASES: Case[] = [
  ['72 empty scans', 'jpeg', LARGE, LARGE, () => emptyScans(LARGE, LARGE, 72)],
  ['72 empty scans of a tiny picture', 'jpeg', 8, 8, () => emptyScans(8, 8, 72)],
  [
    'progressive, four channels',
    'jpeg',
    LARGE,
    LARGE,
    async () =>
      encoded((await photograph(LARGE)).toColourspace('cmyk').jpeg({ progressive: true, quality: 75 })),
  ],
  [
    'four channels, turned',
    'jpeg',
    LARGE,
    LARGE,
    async () => encoded(turned((await photograph(LARGE)).toColourspace('cmyk')).jpeg()),
  ],
  ['100 : 1, turned', 'jpeg', 40_000, 400, async () => encoded(turned(await photograph(40_000, 400)).jpeg())],
  [
    '4,900 segments',
    'jpeg',
    8,
    8,
    async () => withSegments(await encoded((await photograph(8)).jpeg()), repeat(segment(0xe1), 4900)),
  ],
  [
    'EXIF with 6 pointers',
    'jpeg',
    8,
    8,
    async () => withSegments(await encoded((await photograph(8)).jpeg()), exifSegment(circularExif(6))),
  ],
  [
    'a program of colours',
    'jpeg',
    LARGE,
    LARGE,
    async () =>
      withSegments(await encoded((await photograph(LARGE)).jpeg()), profileSegment(profile(program(5)))),
  ],
  ['1 : 100', 'png', 400, 40_000, () => png(400, 40_000)],
  ['1 × 1,000', 'png', 1, 1000, () => png(1, 1000, { interlaced: true })],
  ['1 : 100, interlaced', 'png', 400, 40_000, () => png(400, 40_000, { interlaced: true })],
  [
    '16 bits, interlaced, alpha, a program',
    'png',
    LARGE,
    LARGE,
    () =>
      png(LARGE, LARGE, {
        bits: 16,
        colour: 'rgba',
        interlaced: true,
        extra: [profileChunk(profile(program(5)))],
      }),
  ],
  [
    '16 bits, a program of curves',
    'png',
    LARGE,
    LARGE,
    () => png(LARGE, LARGE, { bits: 16, extra: [profileChunk(profile(curves(5, 8)))] }),
  ],
  ['4,900 chunks', 'png', 8, 8, () => png(8, 8, { extra: [repeat(chunk('tIME', zeros(7)), 4900)] })],
  ['texts of 4 MB', 'png', 8, 8, () => png(8, 8, { extra: [repeat(textBomb(400_000), 9)] })],
  ['1 : 100', 'webp', 163, 16_300, async () => encoded((await photograph(163, 16_300)).webp({ effort: 0 }))],
  [
    'lossless',
    'webp',
    LARGE,
    LARGE,
    async () => encoded((await photograph(LARGE)).webp({ lossless: true, effort: 0 })),
  ],
  ['2,000 frames', 'webp', 1, 1, () => webp(1, 1, 2000)],
  ['2,000 frames of a large canvas', 'webp', LARGE, LARGE, () => webp(LARGE, LARGE, 2000)],
  ['4,900 chunks', 'webp', 8, 8, () => webp(8, 8, 1, repeat(webpChunk('abcd', zeros(0)), 4900))],
  ['2,000 frames', 'gif', 8, 8, () => gif(8, 8, 2000)],
  ['1 : 100', 'gif', 400, 40_000, async () => encoded((await photograph(400, 40_000)).gif({ effort: 1 }))],
  ['CMYK of 16 bits', 'tiff', LARGE, LARGE, () => tiff(LARGE, LARGE, { colours: 5, bits: 16 })],
  ['CIELab of 16 bits', 'tiff', LARGE, LARGE, () => tiff(LARGE, LARGE, { colours: 8, bits: 16 })],
  ['strips of a row', 'tiff', LARGE, LARGE, () => tiff(LARGE, LARGE, { rows: 1 })],
  ['tiles of 16 × 16', 'tiff', LARGE, LARGE, () => tiff(LARGE, LARGE, { tile: 16 })],
  [
    'JPEG tiles of 15 scans',
    'tiff',
    LARGE,
    LARGE,
    () => tiff(LARGE, LARGE, { compression: 'jpeg', colours: 6, tile: 16, data: emptyScans(16, 16, 15) }),
  ],
  ['1 : 100', 'tiff', 400, 40_000, () => tiff(400, 40_000, { rows: 1 })],
  ['290 pages', 'tiff', 8, 8, () => pages(290)],
  ['230 unknown tags', 'tiff', 8, 8, () => unknownTags(230)],
  ['shared values of twice the file', 'tiff', 8, 8, () => sharedValues(2, 9_000_000)],
  [
    '7 frames',
    'avif',
    LARGE / 2,
    LARGE / 2,
    async () => {
      const { configuration, data } = await coded(LARGE / 2);
      return avif(configuration, [{ type: 'av01', data: repeat(data, 7), size: [LARGE / 2, LARGE / 2] }]);
    },
  ],
  [
    'turned 3 times',
    'avif',
    LARGE / 2,
    LARGE / 2,
    async () => {
      const { configuration, data } = await coded(LARGE / 2);
      return avif(configuration, [{ type: 'av01', data, size: [LARGE / 2, LARGE / 2], turns: 3 }]);
    },
  ],
  ['tiles that exceed it', 'avif', 513, 513, async () => grid(await coded(512), 512, 2, 513)],
  ['small tiles', 'avif', 1024, 1024, async () => grid(await coded(64), 64, 16, 1024)],
];

/** Processor time of all threads, in milliseconds; the least of several tries. */
async function processorTime(bytes: Uint8Array): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const before = process.cpuUsage();
    await decodePicture(bytesOf(bytes), LIMIT);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

const ordinary = new Map<string, Promise<number>>();

/** Whether sharp writes it. */
const isSharps = (format: ImageFormat): format is Exclude<ImageFormat, 'bmp' | 'jp2' | 'heic'> =>
  !['bmp', 'jp2', 'heic'].includes(format);

/** An ordinary photograph of a format. */
function ordinaryTime(format: ImageFormat, width: number, height: number): Promise<number> {
  const side = Math.max(SMALLEST_SIDE, Math.round(Math.sqrt(width * height)));
  const key = `${format} ${side}`;
  const time =
    ordinary.get(key) ??
    photograph(side)
      .then((picture) =>
        encoded(picture.toFormat(isSharps(format) ? format : 'png', format === 'jpeg' ? AS_PHONES : {})),
      )
      .then(processorTime);
  ordinary.set(key, time);
  return time;
}

describe('the worst file within the limits takes at most 20 times an ordinary photograph of its pixels', () => {
  const figures: string[] = [];
  afterAll(() => console.log(figures.join('\n')));

  it.each(CASES)('%s %s', async (name, format, width, height, make) => {
    const bytes = await make();
    const time = await processorTime(bytes);
    const usual = await ordinaryTime(format, width, height);
    const ratio = time / usual;
    figures.push(
      `${format.padEnd(5)} ${name.padEnd(40)} ${String(bytes.length).padStart(9)} bytes, ${width} × ${height}: ` +
        `${time.toFixed(0)} ms, a photograph ${usual.toFixed(0)} ms: ${ratio.toFixed(1)}`,
    );
    expect(ratio).toBeLessThan(MAX_RATIO);
  });
});
