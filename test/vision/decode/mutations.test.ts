import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../../src/errors.ts';
import { decodePicture } from '../../../src/vision/decode/decode.ts';
import { IMAGE_FORMATS } from '../../../src/vision/decode/format.ts';
import { inspectImage } from '../../../src/vision/decode/inspect/inspect.ts';
import { bigTiff } from '../../support/big-tiff.ts';
import { BITMAPS } from '../../support/bmp-forms.ts';
import { gif, webp, webpChunk } from '../../support/hostile/animations.ts';
import { codedPicture, grid } from '../../support/hostile/avif.ts';
import {
  circularExif,
  emptyScans,
  exifSegment,
  profileSegment,
  withSegments,
} from '../../support/hostile/jpeg.ts';
import { chunk, png, profileChunk, textBomb } from '../../support/hostile/png.ts';
import { profile, program } from '../../support/hostile/profile.ts';
import { pages, tiff } from '../../support/hostile/tiff.ts';
import { seededRandom } from '../../support/numbers.ts';
import { blobs } from '../../support/pictures.ts';

const LIMIT = 1_000_000;
const MUTATIONS = 200;

const photograph = blobs(3, 48, 48);
const jpeg = () => photograph.clone().jpeg().toBuffer();
const exif = circularExif(3);

/** Of every format, and with everything that is inspected. */
const SOURCES: [string, () => Promise<Uint8Array> | Uint8Array][] = [
  ['a JPEG', jpeg],
  ['a progressive JPEG', () => photograph.clone().jpeg({ progressive: true }).toBuffer()],
  ['a JPEG of 30 scans', () => emptyScans(48, 48, 30)],
  [
    'a JPEG with EXIF and a profile',
    async () => withSegments(await jpeg(), exifSegment(exif), profileSegment(profile(program(3)))),
  ],
  ['a PNG', () => photograph.clone().png().toBuffer()],
  [
    'a PNG with metadata',
    () => png(9, 9, { extra: [profileChunk(profile()), chunk('eXIf', exif), textBomb(10_000)] }),
  ],
  ['a WebP', () => photograph.clone().webp().toBuffer()],
  ['a lossless WebP', () => photograph.clone().webp({ lossless: true }).toBuffer()],
  ['an animated WebP', () => webp(9, 9, 5, webpChunk('EXIF', exif), webpChunk('ICCP', profile()))],
  ['a GIF', () => photograph.clone().gif().toBuffer()],
  ['an animated GIF', () => gif(9, 9, 5)],
  ['a TIFF', () => photograph.clone().tiff({ compression: 'lzw' }).toBuffer()],
  ['a TIFF of tiles', () => tiff(40, 40, { tile: 16 })],
  [
    'a TIFF of JPEG tiles',
    () =>
      photograph.clone().tiff({ compression: 'jpeg', tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer(),
  ],
  ['a TIFF of pages', () => pages(5)],
  ['a BMP', () => BITMAPS['24 bits'] as Buffer],
  ['a BMP of run lengths', () => BITMAPS['run lengths of 8 bits'] as Buffer],
  ['a BigTIFF', () => bigTiff(9, 9)],
  ['an AVIF', () => photograph.clone().avif({ effort: 0 }).toBuffer()],
  [
    'an AVIF of tiles',
    async () => grid(codedPicture(await photograph.clone().avif({ effort: 0 }).toBuffer()), 48, 2, 90),
  ],
];

describe('a damaged picture is decoded or refused, and nothing else happens', () => {
  it.each(SOURCES)('%s', async (name, make) => {
    const whole = await make();
    const random = seededRandom(name.length);
    for (let round = 0; round < MUTATIONS; round++) {
      const outcome = await decodePicture(mutated(whole, random), LIMIT).catch((error: unknown) => error);
      if (!(outcome instanceof Error)) continue;
      expect(outcome).toBeInstanceOf(ServiceError);
      expect((outcome as ServiceError).status).toBeLessThan(500);
    }
  });
});

describe('the inspection of a file', () => {
  it.each(IMAGE_FORMATS)('ends for any bytes that are taken for %s', (format) => {
    const random = seededRandom(1);
    for (let round = 0; round < 2000; round++) {
      const bytes = Uint8Array.from({ length: Math.floor(400 * random()) }, () =>
        Math.floor(256 * random() ** 3),
      );
      try {
        inspectImage(bytes, format, LIMIT);
      } catch (error) {
        expect(error).toBeInstanceOf(ServiceError);
      }
    }
  });

  it.each(SOURCES)('ends for any damage to the structure of %s', async (name, make) => {
    const whole = await make();
    const random = seededRandom(2 + name.length);
    const formats = IMAGE_FORMATS.filter((format) => name.toLowerCase().includes(format));
    for (let round = 0; round < 1000; round++) {
      const bytes = mutated(whole, random);
      for (const format of formats) {
        try {
          inspectImage(bytes, format, LIMIT);
        } catch (error) {
          expect(error).toBeInstanceOf(ServiceError);
        }
      }
    }
  });
});

/** Changes bytes and numbers, half of them near the start, where the structure is; repeats, removes or truncates a part. */
function mutated(whole: Uint8Array, random: () => number): Uint8Array<ArrayBuffer> {
  const below = (limit: number) => Math.floor(limit * random());
  const place = (length: number) => (random() < 0.5 ? below(Math.min(length, 300)) : below(length));
  let bytes = new Uint8Array(whole);
  for (let change = below(4); change >= 0; change--) {
    const at = place(bytes.length);
    const kind = random();
    if (kind < 0.5) {
      bytes[at] = below(256);
    } else if (kind < 0.7) {
      const values = [0, 0xff, 0x7f, 0x80];
      bytes.fill(values[below(values.length)] as number, at, at + 1 + below(4));
    } else if (kind < 0.8) {
      const end = at + below(bytes.length - at);
      bytes = new Uint8Array(Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]));
    } else if (kind < 0.9) {
      bytes = new Uint8Array(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(20))]));
    } else {
      bytes = bytes.slice(0, Math.max(at, 12));
    }
  }
  return bytes;
}
