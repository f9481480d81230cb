import { deflateRawSync, deflateSync } from 'node:zlib';
import { ascii, BitWriter, fill, join, u8, u16be, u32be } from './bytes.ts';
import type { Scale, WorstCase } from './cases.ts';
import { pngChunk } from './formats.ts';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

interface Header {
  width: number;
  height: number;
  bits?: number;
  /** 0 grey, 2 RGB, 3 palette, 6 RGBA. */
  colour?: number;
  interlaced?: boolean;
}

const SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

const headerOf = ({ width, height, bits = 8, colour = 0, interlaced = false }: Header) =>
  pngChunk('IHDR', join(u32be(width), u32be(height), u8(bits, colour, 0, 0, interlaced ? 1 : 0)));

/** Rows of zeros, compressed. */
function rowsOf({ width, height, bits = 8, colour = 0, interlaced = false }: Header): Buffer {
  const bytes = height * (1 + Math.ceil((width * bits * (SAMPLES[colour] as number)) / 8));
  // The passes of an interlaced picture have more rows, and a byte for each.
  return deflateSync(Buffer.alloc(interlaced ? bytes + 4 * height + 64 : bytes), { level: 6 });
}

const png = (header: Header, ...chunks: Buffer[]): Buffer =>
  join(SIGNATURE, headerOf(header), ...chunks, pngChunk('IEND', Buffer.alloc(0)));

const solid = (header: Header): Buffer => png(header, pngChunk('IDAT', rowsOf(header)));

const TINY: Header = { width: 64, height: 64, colour: 2 };

/** A block of deflate that contains nothing, but whose code tables have to be built. Source: RFC 1951, 3.2.7. */
const emptyBlock = (writer: BitWriter): BitWriter => {
  writer.write(0, 1).write(2, 2).write(0, 5).write(0, 5).write(14, 4);
  // Lengths of the codes for code lengths, in the order of the standard: one bit for 18 (zeros) and for 1.
  for (let i = 0; i < 18; i++) writer.write(i === 2 || i === 17 ? 1 : 0, 3);
  // 256 literals without a code, the end of a block and one distance with a code of one bit.
  writer.write(1, 1).write(127, 7).write(1, 1).write(107, 7);
  return writer.write(0, 1).write(0, 1).write(0, 1);
};

/** Many empty blocks, then the data. */
export function slowDeflate(data: Buffer, bytes: number): Buffer {
  const period = new BitWriter();
  // Eight blocks end at a byte.
  for (let i = 0; i < 8; i++) emptyBlock(period);
  const stream = join(u8(0x78, 0x9c), fill(period.end(), bytes), deflateRawSync(data));
  return join(stream, u32be(adler32(data)));
}

function adler32(data: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of data) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return b * 65_536 + a;
}

export async function* worstPng({ bytes, pixels }: Scale): AsyncGenerator<WorstCase> {
  const one = (name: string, header: Header, file: Buffer): WorstCase => ({
    name: `png ${name}`,
    format: 'png',
    bytes: file,
    pixels: header.width * header.height,
  });
  const sized = (name: string, header: Header) => one(name, header, solid(header));
  const side = Math.floor(Math.sqrt(pixels));
  yield sized('one pixel wide', { width: 1, height: pixels });
  yield sized('one pixel wide, RGBA of 16 bits', { width: 1, height: pixels, bits: 16, colour: 6 });
  yield sized('one pixel wide, interlaced', { width: 1, height: pixels, interlaced: true });
  yield sized('two pixels wide, one bit each', { width: 2, height: Math.floor(pixels / 2), bits: 1 });
  yield sized('one pixel high', { width: pixels, height: 1 });
  yield sized('a thousand times as wide as high', {
    width: 32 * Math.floor(Math.sqrt(pixels / 1024)) * 32,
    height: Math.floor(Math.sqrt(pixels / 1024)),
  });
  yield sized('square, RGBA of 16 bits', { width: side, height: side, bits: 16, colour: 6 });
  yield sized('square, interlaced', { width: side, height: side, colour: 2, interlaced: true });
  yield sized('square, one bit', { width: side, height: side, bits: 1 });

  const data = pngChunk('IDAT', rowsOf(TINY));
  const empty = Buffer.alloc(0);
  yield one('empty data chunks', TINY, png(TINY, fill(pngChunk('IDAT', empty), bytes), data));
  const compressed = rowsOf(TINY);
  const singles = [...compressed].map((byte) => pngChunk('IDAT', u8(byte)));
  yield one('a byte for each data chunk', TINY, png(TINY, ...singles));
  yield one('text chunks', TINY, png(TINY, fill(pngChunk('tEXt', ascii('a\0')), bytes), data));
  yield one('unknown chunks', TINY, png(TINY, fill(pngChunk('juNk', empty), bytes), data));
  yield one('compressed text that is large', TINY, png(TINY, textBomb(bytes), data));
  yield one('many compressed texts', TINY, png(TINY, fill(textBomb(2_000), bytes), data));
  const profile = pngChunk('iCCP', join(ascii('a\0\0'), deflateSync(Buffer.alloc(50 * bytes))));
  yield one('profile that is large', TINY, png(TINY, profile, data));
  const palettes = fill(pngChunk('sPLT', join(ascii('a\0'), u8(8), Buffer.alloc(6_000))), bytes);
  yield one('suggested palettes', TINY, png(TINY, palettes, data));
  const exif = pngChunk('eXIf', join(ascii('MM\0*'), u32be(8), u16be(0xffff), Buffer.alloc(bytes)));
  yield one('EXIF of many entries', TINY, png(TINY, exif, data));
  yield one('frames of an animation', TINY, png(TINY, ...framesOf(bytes), data));
  const rows = Buffer.alloc(TINY.height * (1 + 3 * TINY.width));
  yield one('empty blocks of deflate', TINY, png(TINY, pngChunk('IDAT', slowDeflate(rows, bytes))));
  const slowText = pngChunk('zTXt', join(ascii('a\0\0'), slowDeflate(Buffer.alloc(10), bytes)));
  yield one('empty blocks of deflate in a text', TINY, png(TINY, slowText, data));
  const slowProfile = pngChunk('iCCP', join(ascii('a\0\0'), slowDeflate(Buffer.alloc(1_000), bytes)));
  yield one('empty blocks of deflate in the profile', TINY, png(TINY, slowProfile, data));
  yield one('data after the end', TINY, join(png(TINY, data), Buffer.alloc(bytes)));
}

/** Text of zeros that decompresses to a thousand times its bytes. */
function textBomb(bytes: number): Buffer {
  return pngChunk('zTXt', join(ascii('a\0\0'), deflateSync(Buffer.alloc(Math.min(bytes * 50, 200_000_000)))));
}

function framesOf(bytes: number): Buffer[] {
  const control = pngChunk('fcTL', join(u32be(0), u32be(1), u32be(1), u32be(0), u32be(0), Buffer.alloc(6)));
  const frame = pngChunk('fdAT', join(u32be(1), deflateSync(Buffer.alloc(4))));
  return [pngChunk('acTL', join(u32be(Math.floor(bytes / 80)), u32be(0))), fill(join(control, frame), bytes)];
}
