import { deflateSync } from 'node:zlib';
import { ascii, fill, join, repeat, u8, u16le, u32le } from './bytes.ts';
import type { Scale, WorstCase } from './cases.ts';
import { subject } from './ordinary.ts';
import { slowDeflate } from './worst-png.ts';

const SHORT = 3;
const LONG = 4;

/** What a directory says: the values of a tag, as 32-bit numbers or as bytes of 16-bit ones. */
type Tags = Record<number, number | Buffer>;

const TAG = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  stripOffsets: 273,
  samples: 277,
  rowsPerStrip: 278,
  stripBytes: 279,
  planar: 284,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileBytes: 325,
  colours: 320,
  subdirectories: 330,
  extraSamples: 338,
  sampleFormat: 339,
} as const;

const COMPRESSION = { none: 1, fax3: 3, fax4: 4, lzw: 5, jpeg: 7, deflate: 8, packbits: 32_773 } as const;

/** Where the data of a file begins: behind its head. */
const DATA = 8;

/** A file of one directory, with its data before it. */
function tiff(tags: Tags, data: Buffer): Buffer {
  let end = DATA + data.length;
  const entries: Buffer[] = [];
  const long: Buffer[] = [];
  for (const [tag, value] of Object.entries(tags)) {
    // Bytes are a list of 32-bit numbers.
    const list = typeof value === 'number' ? u32le(value) : value;
    const fits = list.length === 4;
    entries.push(join(u16le(Number(tag)), u16le(LONG), u32le(list.length / 4), fits ? list : u32le(end)));
    if (!fits) {
      long.push(list);
      end += list.length;
    }
  }
  return join(ascii('II*\0'), u32le(end), data, ...long, u16le(entries.length), ...entries, u32le(0));
}

/** Zeros as runs of at most 128, none of which may cross the end of a row. */
const packedRow = (width: number): Buffer =>
  join(
    repeat(u8(129, 0), Math.floor(width / 128)),
    width % 128 > 0 ? u8((257 - (width % 128)) % 256, 0) : u8(),
  );

const grey = (width: number, height: number, compression: number): Tags => ({
  [TAG.width]: width,
  [TAG.height]: height,
  [TAG.bits]: 8,
  [TAG.compression]: compression,
  [TAG.photometric]: 1,
  [TAG.samples]: 1,
});

const inOneStrip = (tags: Tags, data: Buffer): Buffer =>
  tiff(
    {
      ...tags,
      [TAG.stripOffsets]: DATA,
      [TAG.rowsPerStrip]: tags[TAG.height] as number,
      [TAG.stripBytes]: data.length,
    },
    data,
  );

const numbers = (count: number, value: number) => repeat(u32le(value), count);

export async function* worstTiff({ bytes, pixels }: Scale): AsyncGenerator<WorstCase> {
  const one = (name: string, file: Buffer, declared = 64 * 64): WorstCase => ({
    name: `tiff ${name}`,
    format: 'tiff',
    bytes: file,
    pixels: declared,
  });
  const side = Math.floor(Math.sqrt(pixels) / 16) * 16;
  const zeros = deflateSync(Buffer.alloc(pixels));
  for (const [width, height] of [
    [1, pixels],
    [pixels, 1],
    [side, side],
  ] as const) {
    const area = width * height;
    yield one(
      `${width}×${height}, deflate`,
      inOneStrip(grey(width, height, COMPRESSION.deflate), zeros),
      area,
    );
    yield one(
      `${width}×${height}, packed`,
      inOneStrip(grey(width, height, COMPRESSION.packbits), repeat(packedRow(width), height)),
      area,
    );
    const fax = { ...grey(width, height, COMPRESSION.fax4), [TAG.bits]: 1 };
    yield one(`${width}×${height}, fax`, inOneStrip(fax, repeat(u8(0xff), Math.ceil(height / 8))), area);
  }
  const fax3 = { ...grey(side, side, COMPRESSION.fax3), [TAG.bits]: 1 };
  yield one('fax of line ends', inOneStrip(fax3, fill(u8(0, 0x10, 1), bytes)), side * side);

  // As many strips of one row as fit into the file: eight bytes of directory for each, all of the same data.
  const strips = Math.min(pixels, Math.floor(bytes / 8));
  const width = Math.max(1, Math.floor(pixels / strips));
  const row = deflateSync(Buffer.alloc(width));
  const striped = (height: number, perRow: number): Tags => ({
    ...grey(perRow, height, COMPRESSION.deflate),
    [TAG.stripOffsets]: numbers(height, DATA),
    [TAG.rowsPerStrip]: 1,
    [TAG.stripBytes]: numbers(height, row.length),
  });
  yield one('strips of one row', tiff(striped(strips, width), row), strips * width);
  yield one(
    'strips of one pixel',
    tiff(
      { ...striped(strips, 1), [TAG.compression]: COMPRESSION.none, [TAG.stripBytes]: numbers(strips, 1) },
      row,
    ),
    strips,
  );

  const tiled = (tile: number, compression: number, data: Buffer): Buffer => {
    const count = Math.ceil(side / tile) ** 2;
    const tags = {
      ...grey(side, side, compression),
      [TAG.tileWidth]: tile,
      [TAG.tileHeight]: tile,
      [TAG.tileOffsets]: numbers(count, DATA),
      [TAG.tileBytes]: numbers(count, data.length),
    };
    return tiff(tags, data);
  };
  yield one('tiles of 16×16', tiled(16, COMPRESSION.deflate, deflateSync(Buffer.alloc(256))), side * side);
  yield one('tiles of 16×16, plain', tiled(16, COMPRESSION.none, Buffer.alloc(256)), side * side);
  const jpeg = await subject(16, 16).toColourspace('b-w').jpeg().toBuffer();
  yield one('tiles of 16×16, JPEG', tiled(16, COMPRESSION.jpeg, jpeg), side * side);
  const slow = slowDeflate(Buffer.alloc(256), Math.min(bytes / 2, 100_000));
  yield one('tiles of empty blocks of deflate', tiled(16, COMPRESSION.deflate, slow), side * side);
  yield one(
    'one tile larger than the picture',
    tiled(Math.ceil(side / 16) * 32, COMPRESSION.deflate, zeros),
    side * side,
  );

  const rows = Buffer.alloc(64 * 64);
  yield one(
    'empty blocks of deflate',
    inOneStrip(grey(64, 64, COMPRESSION.deflate), slowDeflate(rows, bytes)),
  );
  const clears = fill(u8(0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01, 0x00), bytes);
  yield one('clear codes of LZW', inOneStrip(grey(64, 64, COMPRESSION.lzw), clears));
  yield one(
    'packed nothing',
    inOneStrip(grey(64, 64, COMPRESSION.packbits), join(fill(u8(0x80), bytes), rows)),
  );

  const layered = (width: number, height: number, samples: number): Tags => ({
    ...grey(width, height, COMPRESSION.deflate),
    [TAG.samples]: samples,
    [TAG.bits]: numbers(samples, 8),
    [TAG.extraSamples]: numbers(samples - 1, 0),
  });
  for (const samples of [4, 100, 65_535]) {
    const height = Math.max(1, Math.floor(pixels / 64 / samples));
    const data = deflateSync(Buffer.alloc(64 * height * samples));
    const tags = layered(64, height, samples);
    yield one(`${samples} samples a pixel`, inOneStrip(tags, data), 64 * height);
    const planes = {
      ...tags,
      [TAG.planar]: 2,
      [TAG.stripOffsets]: numbers(samples, DATA),
      [TAG.stripBytes]: numbers(samples, data.length),
      [TAG.rowsPerStrip]: height,
    };
    yield one(`${samples} planes`, tiff(planes, data), 64 * height);
  }
  for (const [name, bits, format] of [
    ['16 bits', 16, 1],
    ['floats', 32, 3],
  ] as const) {
    const tags = { ...grey(side, side, COMPRESSION.deflate), [TAG.bits]: bits, [TAG.sampleFormat]: format };
    yield one(name, inOneStrip(tags, deflateSync(Buffer.alloc((side * side * bits) / 8))), side * side);
  }
  for (const [name, photometric, samples] of [
    ['YCbCr', 6, 3],
    ['CMYK', 5, 4],
    ['Lab', 8, 3],
    ['palette', 3, 1],
  ] as const) {
    const tags: Tags = {
      ...grey(side, side, COMPRESSION.deflate),
      [TAG.photometric]: photometric,
      [TAG.samples]: samples,
      [TAG.bits]: numbers(samples, 8),
      ...(photometric === 3 ? { [TAG.colours]: numbers(768, 0) } : {}),
    };
    yield one(name, inOneStrip(tags, deflateSync(Buffer.alloc(side * side * samples))), side * side);
  }

  const still = inOneStrip(grey(64, 64, COMPRESSION.none), rows);
  const directory = still.readUInt32LE(4);
  yield one('a directory that follows itself', join(still.subarray(0, -4), u32le(directory)));
  yield one('pages', pages(still, bytes));
  yield one(
    'directories below each other',
    inOneStrip(
      { ...grey(64, 64, COMPRESSION.none), [TAG.subdirectories]: numbers(Math.floor(bytes / 4), directory) },
      rows,
    ),
  );
  const unknown = Array.from({ length: Math.min(60_000, Math.floor(bytes / 12)) }, (_, at) => [600 + at, 0]);
  yield one(
    'entries',
    inOneStrip({ ...grey(64, 64, COMPRESSION.none), ...Object.fromEntries(unknown) }, rows),
  );
  yield one(
    'values of an unknown tag',
    inOneStrip({ ...grey(64, 64, COMPRESSION.none), 65000: Buffer.alloc(bytes - (bytes % 4)) }, rows),
  );
  yield one('data after the end', join(still, Buffer.alloc(bytes)));
}

/** A chain of directories without entries of their own behind the first. */
function pages(still: Buffer, bytes: number): Buffer {
  const chained = join(still.subarray(0, -4), u32le(still.length));
  const parts: Buffer[] = [chained];
  const entry = join(u16le(TAG.width), u16le(SHORT), u32le(1), u32le(1));
  for (let at = still.length; at + 18 < bytes; at += 18) parts.push(u16le(1), entry, u32le(at + 18));
  parts.push(u16le(1), entry, u32le(0));
  return Buffer.concat(parts);
}
