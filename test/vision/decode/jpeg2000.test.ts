import { beforeAll, describe, expect, it } from 'vitest';
import { decodePicture } from '../../../src/vision/decode/decode.ts';
import { box } from '../../support/hostile/avif.ts';
import { encodeJpeg2000, jp2 } from '../../support/jpeg2000.ts';
import { seededRandom } from '../../support/numbers.ts';
import { blobs } from '../../support/pictures.ts';

const LIMIT = 50_000_000;
const WIDTH = 61;
const HEIGHT = 43;

let colour: Buffer;
let codestream: Buffer;
let large: Buffer;

beforeAll(async () => {
  colour = await blobs(3, WIDTH, HEIGHT).raw().toBuffer();
  codestream = await encodeJpeg2000(colour, WIDTH, HEIGHT, 3);
  large = await encodeJpeg2000(new Uint8Array(3 * 500 * 500), 500, 500, 3);
});

const decode = (bytes: Buffer) => decodePicture(bytes, LIMIT);
const every = (count: number, at: (pixel: number) => number[]) =>
  Buffer.from(Array.from({ length: count }, (_, pixel) => at(pixel)).flat());

describe('JPEG 2000', () => {
  it('in colour has the pixels that were encoded, in a file and bare', async () => {
    for (const bytes of [codestream, jp2(codestream)]) {
      const { data, width, height } = await decode(bytes);
      expect({ width, height }).toEqual({ width: WIDTH, height: HEIGHT });
      expect(Buffer.compare(data, colour)).toBe(0);
    }
  });

  it('in grey, and of 16 bits', async () => {
    const ramp = every(WIDTH * HEIGHT, (pixel) => [pixel % 256]);
    const grey = every(WIDTH * HEIGHT, (pixel) => [pixel % 256, pixel % 256, pixel % 256]);
    const forms = [
      jp2(await encodeJpeg2000(ramp, WIDTH, HEIGHT, 1), 17),
      await encodeJpeg2000(
        every(WIDTH * HEIGHT, (pixel) => [77, pixel % 256]),
        WIDTH,
        HEIGHT,
        1,
        16,
      ),
    ];
    for (const bytes of forms) expect(Buffer.compare((await decode(bytes)).data, grey)).toBe(0);
  });

  const withNumber = (index: number, value: number, original = codestream) => {
    const copy = Buffer.from(original);
    copy.writeUInt32BE(value, 8 + 4 * index);
    return copy;
  };

  const [COD, COC, RGN, COM, SOT, SOD] = [0xff52, 0xff53, 0xff5e, 0xff64, 0xff90, 0xff93];
  const find = (marker: number, bytes = codestream) =>
    bytes.indexOf(Buffer.from([marker >> 8, marker & 255]));

  /** The encoded style, with other numbers, and with precincts of a size for each resolution. */
  function withStyle(
    { layers = 1, levels, precincts }: { layers?: number; levels?: number; precincts?: number[] },
    original = codestream,
  ): Buffer {
    const at = find(COD, original);
    const end = at + 2 + original.readUInt16BE(at + 2);
    const copy = Buffer.from(original.subarray(at, end));
    copy.writeUInt16BE(layers, 6);
    if (levels !== undefined) copy[9] = levels;
    if (precincts) copy[4] = 1;
    const segment = Buffer.concat([copy, Buffer.from(precincts ?? [])]);
    segment.writeUInt16BE(segment.length - 2, 2);
    return Buffer.concat([original.subarray(0, at), segment, original.subarray(end)]);
  }

  const withByte = (at: number, value: number) =>
    Buffer.concat([codestream.subarray(0, at), Buffer.from([value]), codestream.subarray(at + 1)]);

  /** One more segment before another. */
  function withSegment(marker: number, content: number[], before = SOT, length = 2 + content.length): Buffer {
    const at = find(before);
    const head = Buffer.alloc(4);
    head.writeUInt16BE(marker, 0);
    head.writeUInt16BE(length, 2);
    return Buffer.concat([codestream.subarray(0, at), head, Buffer.from(content), codestream.subarray(at)]);
  }

  function withTileLength(length: number): Buffer {
    const copy = Buffer.from(codestream);
    copy.writeUInt32BE(length, find(SOT) + 6);
    return copy;
  }

  it('is refused before anything is decoded if it is too large', async () => {
    await expect(decode(withNumber(0, 2_000_000))).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' });
    // Wavelets take longer than other formats, so they have a limit of their own.
    await expect(decode(withNumber(0, 100_000))).rejects.toMatchObject({
      code: 'IMAGE_TOO_LARGE',
      detail: '4300000 pixels; the limit of JPEG 2000 is 4000000.',
    });
  });

  it.each<[string, () => Buffer, string]>([
    ['truncated', () => codestream.subarray(0, codestream.length / 2), 'truncated'],
    ['with many tiles', () => withNumber(4, 1, withNumber(5, 1)), 'tiles'],
    ['with tiles of no width', () => withNumber(4, 0), 'tiles'],
    ['with an offset beyond its size', () => withNumber(2, 1000), 'without a size'],
    ['with subsampled channels', () => withByte(46, 2), 'different sizes'],
    ['with channels that have a sign', () => withByte(45, 0x87), 'sign'],
    ['with four channels', () => withByte(41, 4), 'RGB and grey'],
    ['with many layers', () => withStyle({ layers: 65535 }), 'packets'],
    ['with many levels', () => withStyle({ levels: 17 }), 'levels'],
    ['with small precincts', () => withStyle({ precincts: new Array(6).fill(0x11) }, large), 'precincts'],
    [
      'with small precincts and no levels',
      () => withStyle({ levels: 0, precincts: [0x11] }, large),
      'precincts',
    ],
    [
      'with a style of coding for one channel',
      () => withSegment(COC, [0, 0, 0, 4, 4, 0, 1]),
      'not supported',
    ],
    ['with a region of interest', () => withSegment(RGN, [0, 0, 37]), 'not supported'],
    ['with an unknown segment', () => withSegment(0xff30, [0xff, 0x52, 0, 12, 0, 0, 0, 99]), 'not supported'],
    ['with two sizes', () => withSegment(0xff51, new Array(45).fill(0)), 'one style'],
    ['with two styles of coding', () => withSegment(COD, [0, 0, 0, 1, 1, 5, 4, 4, 0, 1]), 'one style'],
    [
      'with a style of coding for a tile',
      () => withSegment(COD, new Array(10).fill(0), SOD),
      'not supported',
    ],
    [
      'with a segment beyond the file',
      () => withSegment(COM, new Array(10).fill(0), SOT, 60000),
      'truncated',
    ],
    ['with a tile that goes beyond the file', () => withTileLength(2 ** 32 - 1), 'truncated'],
    ['with a tile-part that is too short', () => withTileLength(13), 'truncated'],
    ['with channels of another depth', () => withByte(45, 8), '8 to 16 bits'],
    ['with channels of few bits', () => withByte(42, 3), '8 to 16 bits'],
    ['in YCbCr', () => jp2(codestream, 18), 'RGB and grey'],
    ['with a palette', () => jp2(codestream, 16, box('pclr', Buffer.from([0, 1, 200]))), 'RGB and grey'],
    [
      'with channels in another order',
      () => jp2(codestream, 16, box('cdef', Buffer.alloc(2))),
      'RGB and grey',
    ],
    ['without a codestream', () => jp2(codestream).subarray(0, 40), 'No picture'],
  ])('%s is refused', async (_what, make, detail) => {
    await expect(decode(make())).rejects.toMatchObject({
      code: 'INVALID_IMAGE',
      detail: expect.stringContaining(detail),
    });
  });

  it('with any damage is decoded or refused, and the next one is decoded', async () => {
    const random = seededRandom(8);
    for (let round = 0; round < 300; round++) {
      const bytes = Buffer.from(codestream);
      for (let change = 0; change < 3; change++) {
        bytes[Math.floor(random() * bytes.length)] = Math.floor(256 * random());
      }
      const outcome = await decode(bytes).catch((error: { status?: number }) => error.status ?? 500);
      if (typeof outcome === 'number') expect(outcome).toBeLessThan(500);
      else expect(outcome.data.length).toBe(3 * outcome.width * outcome.height || 'a picture');
    }
    expect(Buffer.compare((await decode(codestream)).data, colour)).toBe(0);
  });
});
