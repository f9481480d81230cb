import { createHash } from 'node:crypto';
import sharp, { type JpegOptions } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ServiceError } from '../../../src/errors.ts';
import { decodePicture } from '../../../src/vision/decode/decode.ts';
import { decodeSmallJpeg } from '../../../src/vision/decode/small-jpeg.ts';
import type { Pixels } from '../../../src/vision/picture.ts';
import { seededRandom } from '../../support/numbers.ts';
import { blobs, bytesOf } from '../../support/pictures.ts';

const LIMIT = 1_000_000;

/** With noise, so that every block has every frequency. */
async function photograph(width: number, height: number) {
  const data = await blobs(width + height, width, height)
    .raw()
    .toBuffer();
  const random = seededRandom(width * height);
  return sharp(
    data.map((level) => Math.min(255, Math.max(0, level + 60 * (random() - 0.5)))),
    { raw: { width, height, channels: 3 } },
  );
}

const small = async (options: JpegOptions = {}) => await (await photograph(61, 43)).jpeg(options).toBuffer();

async function decodedBySharp(bytes: Uint8Array): Promise<Pixels> {
  const { data, info } = await sharp(bytes, { failOn: 'error' })
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
  whole = bytesOf(await small());
});

describe('small JPEGs decode to the same pixels as with sharp', () => {
  it.each([
    [1, 1],
    [17, 1],
    [2, 35],
    [61, 43],
    [250, 250],
    [640, 480],
  ])('%d×%d, with full and half chroma resolution and in grey', async (width, height) => {
    const picture = await photograph(width, height);
    for (const encoded of [
      picture.clone().jpeg({ quality: 95, chromaSubsampling: '4:4:4' }),
      picture.clone().jpeg({ quality: 60, chromaSubsampling: '4:2:0' }),
      picture.clone().greyscale().jpeg({ quality: 80 }),
    ]) {
      const bytes = await encoded.toBuffer();
      expectSamePixels(await decodeSmallJpeg(bytes, LIMIT), await decodedBySharp(bytes));
    }
  });

  it('with segments that do not affect colours: JFIF and a comment', async () => {
    const jfif = [0xff, 0xe0, 0, 16, ...Buffer.from('JFIF\0'), 1, 1, 0, 0, 1, 0, 1, 0, 0];
    const comment = [0xff, 0xfe, 0, 6, ...Buffer.from('mine')];
    const bytes = Buffer.from([0xff, 0xd8, ...jfif, ...comment, ...whole.subarray(2)]);
    expectSamePixels(await decodeSmallJpeg(bytes, LIMIT), await decodedBySharp(whole));
  });

  it('independently of other pictures', async () => {
    const first = await decodeSmallJpeg(whole, LIMIT);
    await decodeSmallJpeg(await (await photograph(90, 70)).jpeg().toBuffer(), LIMIT);
    expectSamePixels(first, await decodedBySharp(whole));
  });
});

describe('pictures that are left to sharp', () => {
  it.each([
    ['progressive', () => small({ progressive: true })],
    ['in another format', async () => await (await photograph(61, 43)).png().toBuffer()],
    [
      'with an EXIF orientation',
      async () =>
        await (await photograph(61, 43))
          .withExif({ IFD0: { Orientation: '6' } })
          .jpeg()
          .toBuffer(),
    ],
    [
      'with a colour profile',
      async () => await (await photograph(61, 43)).withIccProfile('p3').jpeg().toBuffer(),
    ],
    ['in CMYK', async () => await (await photograph(61, 43)).toColourspace('cmyk').jpeg().toBuffer()],
    ['with channels named R, G and B', async () => withChannelNames(await small(), [82, 71, 66])],
    ['with 641×480 pixels', async () => await (await photograph(641, 480)).jpeg().toBuffer()],
    ['with more bytes than pixels', async () => Buffer.concat([await small(), Buffer.alloc(1_000_000)])],
    ['truncated in its header', async () => (await small()).subarray(0, 100)],
    ['of two bytes', async () => (await small()).subarray(0, 2)],
  ])('%s', async (_what, make) => {
    expect(await decodeSmallJpeg(await make(), LIMIT)).toBeUndefined();
    expect(await decodeSmallJpeg(whole, LIMIT)).toBeDefined();
  });

  it('with more pixels than the caller allows', async () => {
    expect(await decodeSmallJpeg(whole, 61 * 43 - 1)).toBeUndefined();
    expect(await decodeSmallJpeg(whole, 61 * 43)).toBeDefined();
  });
});

describe('a damaged picture', () => {
  it('is refused, and the next picture is decoded here again', async () => {
    await expect(decodePicture(whole.slice(0, 900), LIMIT)).rejects.toMatchObject({ code: 'INVALID_IMAGE' });
    expectSamePixels(await decodeSmallJpeg(whole, LIMIT), await decodedBySharp(whole));
  });

  it('is never accepted where sharp refuses it, in a long series', async () => {
    const random = seededRandom(5);
    const outcomes = { both: 0, sharp: 0, neither: 0 };
    for (let round = 0; round < 120; round++) {
      const bytes = damaged(whole, random);
      const accepted = (await decodeSmallJpeg(bytes, LIMIT)) !== undefined;
      const acceptedBySharp = await decodedBySharp(bytes).then(
        () => true,
        () => false,
      );
      if (accepted) expect(acceptedBySharp).toBe(true);
      outcomes[accepted ? 'both' : acceptedBySharp ? 'sharp' : 'neither']++;
    }
    // All three cases occurred.
    expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(5);
    expectSamePixels(await decodeSmallJpeg(whole, LIMIT), await decodedBySharp(whole));
  }, 30_000);

  it('gets one answer, whatever was decoded before it or is decoded beside it', async () => {
    const random = seededRandom(6);
    const pictures = [whole, ...Array.from({ length: 40 }, () => damaged(whole, random))];
    const first = await Promise.all(pictures.map(answer));
    for (let round = 0; round < 4; round++) {
      const order = pictures.map((_, index) => index).sort(() => random() - 0.5);
      for (const index of order) expect(await answer(pictures[index] as Uint8Array)).toBe(first[index]);
    }
    // Pictures that both decoders accept with different pixels are among them.
    const ours = await Promise.all(pictures.map((picture) => decodeSmallJpeg(picture, LIMIT).then(hashOf)));
    const sharps = await Promise.all(
      pictures.map((picture) => decodedBySharp(picture).then(hashOf, () => 'refused')),
    );
    expect(ours.some((hash, index) => hash !== 'none' && hash !== sharps[index])).toBe(true);
  });
});

const hashOf = (pixels: Pixels | undefined) =>
  pixels ? createHash('sha256').update(pixels.data).digest('hex') : 'none';

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
