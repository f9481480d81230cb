import { ascii, BitWriter, fill, join, repeat, u8, u16le } from './bytes.ts';
import type { Scale, WorstCase } from './cases.ts';

const MAX_SIDE = 65_535;

/** The head, with two colours. */
const head = (width: number, height: number): Buffer =>
  join(ascii('GIF89a'), u16le(width), u16le(height), u8(0x80, 0, 0), u8(0, 0, 0, 255, 255, 255));

const descriptor = (width: number, height: number, flags = 0): Buffer =>
  join(u8(0x2c), u16le(0), u16le(0), u16le(width), u16le(height), u8(flags));

/** Data in sub-blocks of this size. */
function subBlocks(data: Buffer, size = 255): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < data.length; at += size) {
    const part = data.subarray(at, at + size);
    parts.push(u8(part.length), part);
  }
  return join(...parts, u8(0));
}

const CLEAR = 4;
const END = 5;

/** LZW in codes of three bits: a clear before codes would become longer. Codes 0 and 1 are pixels. */
function pixelsOf(count: number): Buffer {
  const period = new BitWriter();
  // Eight times the same nine bits end at a byte: clear, pixel, pixel.
  for (let i = 0; i < 8; i++) period.write(CLEAR, 3).write(0, 3).write(1, 3);
  const end = new BitWriter().write(CLEAR, 3).write(END, 3).end();
  return join(repeat(period.end(), Math.ceil(count / 16)), end);
}

/** Long codes: each refers to the one before, so that n codes are n²/2 pixels. The widths grow as the table does. */
function compactPixels(count: number): Buffer {
  const writer = new BitWriter();
  let left = count;
  while (left > 0) {
    writer.write(CLEAR, 3).write(0, 3);
    left--;
    let bits = 3;
    for (let code = 6, length = 2; code < 4095 && left > 0; code++, length++) {
      writer.write(code, bits);
      if (code + 1 === 1 << bits && bits < 12) bits++;
      left -= length;
    }
    if (left > 0) writer.write(CLEAR, bits);
  }
  return writer.end();
}

export async function* worstGif({ bytes, pixels }: Scale): AsyncGenerator<WorstCase> {
  const one = (name: string, file: Buffer, declared = 64 * 64): WorstCase => ({
    name: `gif ${name}`,
    format: 'gif',
    bytes: file,
    pixels: declared,
  });
  const end = u8(0x3b);
  const long = Math.min(MAX_SIDE, pixels);
  const short = Math.max(1, Math.floor(pixels / long));
  const side = Math.floor(Math.sqrt(pixels));
  const frame = (width: number, height: number, data: Buffer, flags = 0) =>
    join(descriptor(width, height, flags), u8(2), data);
  for (const [width, height] of [
    [1, long],
    [long, 1],
    [long, short],
    [short, long],
    [side, side],
  ] as const) {
    const data = subBlocks(compactPixels(width * height));
    yield one(
      `${width}×${height}`,
      join(head(width, height), frame(width, height, data), end),
      width * height,
    );
    yield one(
      `${width}×${height}, interlaced`,
      join(head(width, height), frame(width, height, data, 0x40), end),
      width * height,
    );
  }
  const still = frame(64, 64, subBlocks(pixelsOf(64 * 64)));
  const tiny = (...parts: Buffer[]) => join(head(64, 64), ...parts, end);
  yield one('comments', tiny(fill(u8(0x21, 0xfe, 0), bytes), still));
  yield one(
    'a long comment',
    tiny(join(u8(0x21, 0xfe), fill(join(u8(255), Buffer.alloc(255)), bytes), u8(0)), still),
  );
  yield one('a comment in single bytes', tiny(join(u8(0x21, 0xfe), fill(u8(1, 65), bytes), u8(0)), still));
  yield one('graphic controls', tiny(fill(u8(0x21, 0xf9, 4, 0, 0, 0, 0, 0), bytes), still));
  yield one(
    'loop counts',
    tiny(fill(join(u8(0x21, 0xff, 11), ascii('NETSCAPE2.0'), u8(3, 1, 0, 0, 0)), bytes), still),
  );
  yield one('data in single bytes', tiny(frame(64, 64, subBlocks(pixelsOf(64 * 64), 1))));
  const clears = new BitWriter();
  for (let i = 0; i < 8; i++) clears.write(CLEAR, 3);
  yield one('clear codes', tiny(frame(64, 64, subBlocks(fill(clears.end(), bytes)))));
  yield one('more data than pixels', tiny(frame(64, 64, subBlocks(pixelsOf(bytes)))));
  const empty = frame(0, 0, u8(0));
  yield one('frames of no pixel', join(head(side, side), fill(empty, bytes), end), side * side);
  const pixel = frame(1, 1, subBlocks(pixelsOf(1)));
  yield one('frames of one pixel', join(head(side, side), fill(pixel, bytes), end), side * side);
  const whole = frame(side, side, subBlocks(compactPixels(side * side)));
  yield one('frames of the whole size', join(head(side, side), fill(whole, bytes), end), side * side);
  yield one('data after the end', join(tiny(still), Buffer.alloc(bytes)));
}
