import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type JpegOptions } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ServiceError } from '../../../src/errors.ts';
import { decodePicture } from '../../../src/vision/decode/decode.ts';
import { decodePlainJpeg } from '../../../src/vision/decode/plain-jpeg.ts';
import type { Pixels } from '../../../src/vision/picture.ts';
import { encodeJpeg, SUBSAMPLINGS } from '../../support/jpeg-encoder.ts';
import { seededRandom } from '../../support/numbers.ts';
import { blobs, bytesOf } from '../../support/pictures.ts';
import { FACES, hasRealWeights, photo } from '../../support/shared.ts';

const LIMIT = 50_000_000;
const SETTINGS = { maxPixels: LIMIT, ignoreProfile: true };

/** With noise, so that every block has every frequency. */
async function photograph(width: number, height: number): Promise<Pixels> {
  const data = await blobs(width + height, width, height)
    .raw()
    .toBuffer();
  const random = seededRandom(width * height);
  return {
    data: data.map((level) => Math.min(255, Math.max(0, level + 60 * (random() - 0.5)))),
    width,
    height,
  };
}

async function bySharp(width: number, height: number) {
  return sharp((await photograph(width, height)).data, { raw: { width, height, channels: 3 } });
}

const encoded = async (options: JpegOptions = {}) => await (await bySharp(61, 43)).jpeg(options).toBuffer();

const largeJpeg = async () => await (await bySharp(1100, 1000)).jpeg().toBuffer();

async function decodedBySharp(bytes: Uint8Array): Promise<Pixels> {
  const { data, info } = await sharp(bytes, { failOn: 'error', ignoreIcc: true })
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** vitest takes seconds to compare arrays of this size. */
function expectSamePixels(decoded: Pixels | undefined, { data, width, height }: Pixels) {
  expect(decoded).toMatchObject({ width, height });
  expect(Buffer.compare(decoded?.data ?? Buffer.alloc(0), data)).toBe(0);
}

let whole: Uint8Array;

beforeAll(async () => {
  whole = bytesOf(await encoded());
});

describe('plain JPEGs decode to the same pixels as with sharp', () => {
  it.each(Object.keys(SUBSAMPLINGS) as (keyof typeof SUBSAMPLINGS)[])('%s', async (subsampling) => {
    for (const [width, height] of [
      [1, 1],
      [17, 1],
      [2, 35],
      [61, 43],
      [250, 250],
    ] as const) {
      const picture = await photograph(width, height);
      for (const progressive of [false, true]) {
        for (const restartBlocks of [0, 1, 7]) {
          const bytes = encodeJpeg(picture, { subsampling, progressive, restartBlocks });
          expectSamePixels(await decodePlainJpeg(bytes, SETTINGS), await decodedBySharp(bytes));
        }
      }
    }
  });

  it.each(Object.keys(SUBSAMPLINGS) as (keyof typeof SUBSAMPLINGS)[])(
    'in two parts, %s',
    async (subsampling) => {
      for (const [width, height] of [
        [1024, 1024],
        [17, 65_500],
        [2051, 517],
      ] as const) {
        const picture = await photograph(width, height);
        for (const restartBlocks of [0, 7]) {
          const bytes = encodeJpeg(picture, { subsampling, progressive: false, restartBlocks });
          const inParts = await decodePlainJpeg(bytes, { ...SETTINGS, coresIdle: true });
          expectSamePixels(inParts, await decodedBySharp(bytes));
        }
      }
    },
  );

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('turned upright from orientation %i', async (orientation) => {
    for (const [width, height] of [
      [3, 5],
      [61, 43],
      [200, 130],
    ] as const) {
      const upright = await (await bySharp(width, height)).jpeg().toBuffer();
      const bytes = withExif(upright, exif(`0${orientation}`));
      expectSamePixels(await decodePlainJpeg(bytes, SETTINGS), await decodedBySharp(bytes));
    }
  });

  it('of camera size, and with channels named R, G and B', async () => {
    for (const bytes of [
      await (await bySharp(2300, 1500)).jpeg().toBuffer(),
      withChannelNames(await encoded(), [82, 71, 66]),
    ]) {
      expectSamePixels(await decodePlainJpeg(bytes, SETTINGS), await decodedBySharp(bytes));
    }
  });

  it('with segments that do not affect colours', async () => {
    const jfif = [0xff, 0xe0, 0, 16, ...Buffer.from('JFIF\0'), 1, 1, 0, 0, 1, 0, 1, 0, 0];
    const comment = [0xff, 0xfe, 0, 6, ...Buffer.from('mine')];
    const xmp = [0xff, 0xe1, 0, 31, ...Buffer.from('http://ns.adobe.com/xap/1.0/\0')];
    const bytes = Buffer.from([0xff, 0xd8, ...jfif, ...comment, ...xmp, ...whole.subarray(2)]);
    expectSamePixels(await decodePlainJpeg(bytes, SETTINGS), await decodedBySharp(whole));
  });

  it('many at a time', async () => {
    const pictures = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => (await bySharp(40 + index, 90)).jpeg().toBuffer()),
    );
    const decoded = await Promise.all(pictures.map((bytes) => decodePlainJpeg(bytes, SETTINGS)));
    for (const [index, bytes] of pictures.entries()) {
      expectSamePixels(decoded[index], await decodedBySharp(bytes));
    }
  });

  it.skipIf(!hasRealWeights)('all photographs', { timeout: 120_000 }, async () => {
    const files = readdirSync(FACES, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.jpg'),
    );
    let plain = 0;
    for (const file of files) {
      const bytes = photo(join(file));
      const decoded = await decodePlainJpeg(bytes, SETTINGS);
      if (decoded === undefined) continue;
      plain++;
      expectSamePixels(decoded, await decodedBySharp(bytes));
    }
    expect(plain).toBeGreaterThan(0.95 * files.length);
  });
});

describe('pictures that are left to sharp', () => {
  it('none of these', async () => {
    for (const bytes of [whole, withExif(whole, exif('01')), withExif(whole, exif('06'))]) {
      expectSamePixels(await decodePlainJpeg(bytes, SETTINGS), await decodedBySharp(bytes));
    }
  });

  it.each<[string, () => Promise<Uint8Array> | Uint8Array]>([
    ['in another format', async () => await (await bySharp(61, 43)).png().toBuffer()],
    ['in CMYK', async () => await (await bySharp(61, 43)).toColourspace('cmyk').jpeg().toBuffer()],
    ['with an unknown orientation', () => withExif(whole, exif('09'))],
    ['with an orientation of another type', () => withExif(whole, exif('06', '0400'))],
    ['with two blocks of EXIF', () => withExif(whole, exif('06'), exif('03'))],
    ['with EXIF without a directory', () => withExif(whole, '49492a00 ff000000')],
    ['with EXIF in an unknown byte order', () => withExif(whole, exif('06').replace('4949', '4a4a'))],
    ['truncated in its header', () => whole.subarray(0, 100)],
    ['of two bytes', () => whole.subarray(0, 2)],
    ['truncated in its data', () => whole.subarray(0, -20)],
    ['large, truncated near its end', async () => (await largeJpeg()).subarray(0, -2000)],
    ['large, truncated near its start', async () => (await largeJpeg()).subarray(0, 2000)],
  ])('%s', async (_what, make) => {
    const bytes = await make();
    for (const coresIdle of [false, true])
      expect(await decodePlainJpeg(bytes, { ...SETTINGS, coresIdle })).toBeUndefined();
  });

  it('with a colour profile, if it is not ignored', async () => {
    const bytes = await (await bySharp(61, 43)).withIccProfile('p3').jpeg().toBuffer();
    expect(await decodePlainJpeg(bytes, { ...SETTINGS, ignoreProfile: false })).toBeUndefined();
    expectSamePixels(await decodePlainJpeg(bytes, SETTINGS), await decodedBySharp(bytes));
  });

  it('with more pixels than the caller allows', async () => {
    expect(await decodePlainJpeg(whole, { ...SETTINGS, maxPixels: 61 * 43 - 1 })).toBeUndefined();
    expect(await decodePlainJpeg(whole, { ...SETTINGS, maxPixels: 61 * 43 })).toBeDefined();
  });

  it('without tables, even after a picture that has some', async () => {
    const table = whole.indexOf(0xdb) - 1;
    const length = 2 + (whole[table + 2] as number) * 256 + (whole[table + 3] as number);
    const bare = Buffer.concat([whole.subarray(0, table), whole.subarray(table + length)]);
    expect(await decodePlainJpeg(whole, SETTINGS)).toBeDefined();
    expect(await decodePlainJpeg(bare, SETTINGS)).toBeUndefined();
    await expect(decodePicture(bare, LIMIT)).rejects.toMatchObject({ code: 'INVALID_IMAGE' });
  });
});

describe('a damaged picture', () => {
  it('is refused, and the next picture is decoded', async () => {
    await expect(decodePicture(whole.slice(0, 900), LIMIT)).rejects.toMatchObject({ code: 'INVALID_IMAGE' });
    expectSamePixels(await decodePlainJpeg(whole, SETTINGS), await decodedBySharp(whole));
  });

  it('has the pixels that sharp gives it, or is left to sharp', async () => {
    const random = seededRandom(5);
    const outcomes = { both: 0, sharp: 0, neither: 0 };
    for (let round = 0; round < 150; round++) {
      const bytes = damaged(whole, random);
      const decoded = await decodePlainJpeg(bytes, SETTINGS);
      const judged = await decodedBySharp(bytes).catch(() => undefined);
      if (decoded) expectSamePixels(decoded, judged as Pixels);
      outcomes[decoded ? 'both' : judged ? 'sharp' : 'neither']++;
    }
    // All three cases occurred.
    expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(5);
  }, 30_000);

  it('gets one answer, whatever was decoded before it or is decoded beside it', async () => {
    const random = seededRandom(6);
    const pictures = [whole, ...Array.from({ length: 40 }, () => damaged(whole, random))];
    const first = await Promise.all(pictures.map(answer));
    for (let round = 0; round < 4; round++) {
      const order = pictures.map((_, index) => index).sort(() => random() - 0.5);
      for (const index of order) expect(await answer(pictures[index] as Uint8Array)).toBe(first[index]);
    }
  });
});

/** Adds blocks of EXIF, in hexadecimal digits. */
function withExif(jpeg: Uint8Array, ...blocks: string[]): Buffer {
  const segments = blocks.map((hex) => {
    const block = Buffer.concat([Buffer.from('Exif\0\0'), Buffer.from(hex.replaceAll(' ', ''), 'hex')]);
    return Buffer.concat([Buffer.from([0xff, 0xe1, 0, block.length + 2]), block]);
  });
  return Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);
}

/** A directory with an orientation only. */
const exif = (orientation: string, type = '0300') =>
  `49492a00 08000000 0100 1201 ${type} 01000000 ${orientation}000000 00000000`;

const hashOf = (pixels: Pixels) => createHash('sha256').update(pixels.data).digest('hex');

/** The pixels' hash, or the error. */
const answer = (bytes: Uint8Array) =>
  decodePicture(bytes, LIMIT).then(hashOf, (error: ServiceError) => `${error.code}: ${error.detail}`);

/** Renames the three channels, in the frame and in the scan. */
function withChannelNames(bytes: Buffer, names: number[]): Buffer {
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0])) + 10;
  const scan = bytes.indexOf(Buffer.from([0xff, 0xda])) + 5;
  for (const [channel, name] of names.entries()) {
    bytes[frame + 3 * channel] = name;
    bytes[scan + 2 * channel] = name;
  }
  return bytes;
}

/** Changes up to three bytes, or truncates. */
function damaged(bytes: Uint8Array, random: () => number): Uint8Array {
  if (random() < 0.1) return bytes.slice(0, Math.floor(random() * bytes.length));
  const copy = bytes.slice();
  const changes = 1 + Math.floor(3 * random());
  for (let change = 0; change < changes; change++) {
    copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
  }
  return copy;
}
