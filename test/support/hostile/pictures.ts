import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { bytesOf } from '../pictures.ts';
import { gif, webp, webpChunk } from './animations.ts';
import { avif, codedPicture, grid } from './avif.ts';
import { join, repeat, text, zeros } from './bytes.ts';
import {
  arithmetic,
  circularExif,
  emptyScans,
  exifSegment,
  profileSegment,
  segment,
  withSegments,
} from './jpeg.ts';
import { chunk, png, profileChunk, textBomb } from './png.ts';
import { profile, program } from './profile.ts';
import { emptyBlocks, pages, sharedValues, tiff, unknownTags } from './tiff.ts';

export interface HostilePicture {
  name: string;
  make: () => Promise<Uint8Array> | Uint8Array;
  /** What the detail of the refusal says. */
  refused: RegExp;
}

const TINY = 8;
const MIB = 1024 * 1024;
const tinyJpeg = () => sharp(flat(TINY)).jpeg().toBuffer();
const flat = (side: number) => ({
  create: { width: side, height: side, channels: 3, background: 'red' } as const,
});
const coded = async (side: number) => codedPicture(await sharp(flat(side)).avif({ effort: 0 }).toBuffer());

/** Small files that keep a decoder busy for seconds or minutes; in brackets what they took before they were refused. */
export const HOSTILE_PICTURES: HostilePicture[] = [
  {
    name: 'a PNG of 1 × 49,000,000 (30 s)',
    make: () => png(1, 49_000_000, { colour: 'grey' }),
    refused: /at most 100 times/,
  },
  {
    name: 'an interlaced PNG of 1 × 16,384',
    make: () => png(1, 16_384, { interlaced: true }),
    refused: /at most 100 times/,
  },
  { name: 'a WebP of 1 × 16,383', make: () => webp(1, 16_383, 1), refused: /at most 100 times/ },
  {
    name: 'a TIFF of 1 × 1,000,000',
    make: () => tiff(1, 1_000_000, { rows: 100_000 }),
    refused: /at most 100 times/,
  },
  { name: 'a JPEG of 1,000 empty scans (6 s)', make: () => emptyScans(7000, 7000, 1000), refused: /scans/i },
  { name: 'a tiny JPEG of 1,000 empty scans', make: () => emptyScans(TINY, TINY, 1000), refused: /scans/i },
  { name: 'a JPEG in arithmetic coding', make: () => arithmetic(1000, 1000), refused: /Arithmetic/ },
  {
    name: 'a JPEG of 100,000 empty segments',
    make: async () => withSegments(await tinyJpeg(), repeat(segment(0xe1), 100_000)),
    refused: /5000 segments/,
  },
  {
    name: 'a JPEG whose EXIF points to itself (8 s)',
    make: async () => withSegments(await tinyJpeg(), exifSegment(circularExif(5000))),
    refused: /EXIF/,
  },
  {
    name: 'a JPEG whose colour profile is a program (minutes)',
    make: async () => withSegments(await tinyJpeg(), profileSegment(profile(program(4000)))),
    refused: /program of more than 5 steps/,
  },
  {
    name: 'a PNG of 1,940 bytes whose colour profile is a program (167 s)',
    make: () => png(TINY, TINY, { extra: [profileChunk(profile(program(65_000)))] }),
    refused: /program of more than 5 steps/,
  },
  {
    name: 'a PNG whose program of colours has a wrong checksum, which libpng does not read',
    make: () => {
      const content = deflateSync(profile(program(4000)));
      content.writeUInt32BE(0, content.length - 4);
      return png(TINY, TINY, { extra: [chunk('iCCP', join(text('k\0\0'), content))] });
    },
    refused: /program of more than 5 steps/,
  },
  {
    name: 'a PNG with a colour profile of 8 MB',
    make: () => png(TINY, TINY, { extra: [profileChunk(zeros(8 * MIB))] }),
    refused: /colour profile of more than/,
  },
  {
    name: 'a PNG of 200 compressed texts (0.6 s)',
    make: () => png(TINY, TINY, { extra: [repeat(textBomb(7 * MIB), 200)] }),
    refused: /Compressed texts/,
  },
  {
    name: 'a PNG of 500,000 chunks (1.2 s)',
    make: () => png(TINY, TINY, { extra: [repeat(chunk('tIME', zeros(7)), 500_000)] }),
    refused: /5000 segments or chunks/,
  },
  {
    name: 'a PNG whose EXIF points to itself (8 s)',
    make: () => png(TINY, TINY, { extra: [chunk('eXIf', circularExif(5000))] }),
    refused: /EXIF/,
  },
  { name: 'a WebP of 40,000 frames (3 s)', make: () => webp(1, 1, 40_000), refused: /2000 frames/ },
  {
    name: 'a WebP of 1,000,000 chunks',
    make: () => webp(1, 1, 1, repeat(webpChunk('abcd', zeros(0)), 1_000_000)),
    refused: /5000 segments or chunks/,
  },
  {
    name: 'a WebP whose EXIF points to itself (8 s)',
    make: () => webp(1, 1, 1, webpChunk('EXIF', circularExif(5000))),
    refused: /EXIF/,
  },
  { name: 'a GIF of 600,000 frames', make: () => gif(1, 1, 600_000), refused: /2000 frames/ },
  {
    name: 'a TIFF of 240 tags with the same 8 MB (2 s)',
    make: () => sharedValues(240, 8 * MIB),
    refused: /times the bytes/,
  },
  {
    name: 'a TIFF of 4,000 unknown tags (2 s)',
    make: () => unknownTags(4000),
    refused: /250 different tags/,
  },
  {
    name: 'a TIFF of 700 strips with the same megabyte of empty blocks (5 s)',
    make: () => tiff(700, 700, { rows: 1, data: emptyBlocks(200_000, 3 * 700) }),
    refused: /Strips or tiles/,
  },
  {
    name: 'a PNG with texts of 10 MB that inflate to nothing (8 s)',
    make: () => png(8, 8, { extra: [chunk('zTXt', join(text('k\0\0'), emptyBlocks(2 * MIB, 1)))] }),
    refused: /texts of more than/,
  },
  {
    name: 'a PNG with a profile of 10 MB that inflates to little (4 s)',
    make: () => png(8, 8, { extra: [chunk('iCCP', join(text('k\0\0'), emptyBlocks(2 * MIB, 1000)))] }),
    refused: /profile of more than/,
  },
  { name: 'a TIFF of 60,000 pages (1 s)', make: () => pages(60_000), refused: /300 directories/ },
  {
    name: 'a TIFF of a JPEG tile of 75 empty scans',
    make: () => tiff(16, 16, { compression: 'jpeg', colours: 6, tile: 16, data: emptyScans(16, 16, 75) }),
    refused: /16 scans/,
  },
  {
    name: 'an AVIF of 100 frames that are not shown',
    make: async () => {
      const { configuration, data } = await coded(512);
      return avif(configuration, [{ type: 'av01', data: repeat(data, 100), size: [512, 512] }]);
    },
    refused: /Tiles, layers and frames/,
  },
  {
    name: 'an AVIF of 30 parts that are the same bytes',
    make: async () => {
      const { configuration, data } = await coded(512);
      return avif(configuration, [{ type: 'av01', data, parts: 30, size: [512, 512] }]);
    },
    refused: /times the file/,
  },
  {
    name: 'an AVIF of 256 tiles for 64 × 64 pixels (2.5 s)',
    make: async () => grid(await coded(512), 512, 16, 64),
    refused: /Tiles, layers/,
  },
  {
    name: 'an AVIF that is turned 200 times',
    make: async () => {
      const { configuration, data } = await coded(512);
      return avif(configuration, [{ type: 'av01', data, size: [512, 512], turns: 200 }]);
    },
    refused: /3 transforms/,
  },
];

export const hostileBytes = async ({ make }: Pick<HostilePicture, 'make'>) => bytesOf(await make());
