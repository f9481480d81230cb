import { seededRandom } from './numbers.ts';

/* Windows bitmaps of 24 × 16 pixels, as attendance terminals, scanners and old programs write them. */

const WIDTH = 24;
const HEIGHT = 16;
const COMPRESSION = { none: 0, runs8: 1, runs4: 2, masks: 3 };

const numbers = (bytes: number, ...values: number[]) => {
  const buffer = Buffer.alloc(bytes * values.length);
  for (const [index, value] of values.entries()) {
    if (bytes === 2) buffer.writeUInt16LE(value, 2 * index);
    else buffer.writeInt32LE(value | 0, 4 * index);
  }
  return buffer;
};

function noise(bytes: number): Buffer {
  const random = seededRandom(bytes);
  return Buffer.from(Array.from({ length: bytes }, () => Math.floor(256 * random())));
}

interface BitmapOptions {
  compression?: number;
  /** Masks and palette. */
  tables?: Buffer;
  height?: number;
  headerBytes?: number;
}

function bitmap(bits: number, pixels: Buffer, options: BitmapOptions = {}): Buffer {
  const {
    compression = COMPRESSION.none,
    tables = Buffer.alloc(0),
    height = HEIGHT,
    headerBytes = 40,
  } = options;
  const at = 14 + headerBytes + tables.length;
  return Buffer.concat([
    Buffer.from('BM'),
    numbers(4, at + pixels.length, 0, at, headerBytes, WIDTH, height),
    numbers(2, 1, bits),
    numbers(4, compression, pixels.length, 2835, 2835, 0, 0),
    Buffer.alloc(headerBytes - 40),
    tables,
    pixels,
  ]);
}

const palette = (colours: number) => noise(4 * colours);
const rows = (row: number[]) => Buffer.from([...Array.from({ length: HEIGHT }, () => row).flat(), 0, 1]);

export const BITMAPS: Record<string, Buffer> = {
  '1 bit': bitmap(1, noise(4 * HEIGHT), { tables: palette(2) }),
  '4 bits': bitmap(4, noise(12 * HEIGHT), { tables: palette(16) }),
  '8 bits': bitmap(8, noise(WIDTH * HEIGHT), { tables: palette(256) }),
  '16 bits': bitmap(16, noise(2 * WIDTH * HEIGHT)),
  '16 bits, 5-6-5': bitmap(16, noise(2 * WIDTH * HEIGHT), {
    compression: COMPRESSION.masks,
    tables: numbers(4, 0xf800, 0x07e0, 0x001f),
  }),
  '24 bits': bitmap(24, noise(3 * WIDTH * HEIGHT)),
  '24 bits, from the top': bitmap(24, noise(3 * WIDTH * HEIGHT), { height: -HEIGHT }),
  '24 bits, version 5': bitmap(24, noise(3 * WIDTH * HEIGHT), { headerBytes: 124 }),
  '24 bits, OS/2': Buffer.concat([
    Buffer.from('BM'),
    numbers(4, 26 + 3 * WIDTH * HEIGHT, 0, 26, 12),
    numbers(2, WIDTH, HEIGHT, 1, 24),
    noise(3 * WIDTH * HEIGHT),
  ]),
  '32 bits': bitmap(32, noise(4 * WIDTH * HEIGHT)),
  'run lengths of 8 bits': bitmap(8, rows([10, 77, 0, 5, 1, 2, 3, 4, 5, 0, 9, 200, 0, 0]), {
    compression: COMPRESSION.runs8,
    tables: palette(256),
  }),
  'run lengths of 4 bits': bitmap(4, rows([11, 0x12, 0, 5, 0x12, 0x34, 0x50, 0, 8, 0xab, 0, 0]), {
    compression: COMPRESSION.runs4,
    tables: palette(16),
  }),
  'run lengths with a jump': bitmap(8, Buffer.from([5, 7, 0, 2, 3, 2, 6, 9, 0, 0, 4, 3, 0, 1]), {
    compression: COMPRESSION.runs8,
    tables: palette(256),
  }),
};
