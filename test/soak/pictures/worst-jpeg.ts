import sharp from 'sharp';
import { ascii, fill, join, repeat, u8, u16be, u32be } from './bytes.ts';
import type { Scale, WorstCase } from './cases.ts';
import { SPLIT } from './formats.ts';
import { subject } from './ordinary.ts';

/** The largest side of a JPEG that decoders take. */
const MAX_SIDE = 65_500;

const flat = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#808080' } });

const segment = (marker: number, data: Uint8Array): Buffer =>
  join(u8(0xff, marker), u16be(data.length + 2), data);

/** Puts segments behind the first marker. */
const withSegments = (file: Buffer, segments: Buffer): Buffer =>
  join(file.subarray(0, 2), segments, file.subarray(2));

/** Most blocks that one code can declare to be empty: a code of one bit, and 14 bits. Source: ITU-T T.81, G.1.2.2. */
const EMPTY_RUN = 32_767;

/**
 * Puts scans that change nothing behind the first of a progressive file with one colour. Each is a pass over all coefficients of a
 * component. Their order is that of the standard: each refines one coefficient by one bit.
 */
function withScans(file: Buffer, width: number, height: number, bytes: number): Buffer {
  const { blocks, build } = SPLIT.jpeg(file);
  const first = blocks.findIndex((block) => block[1] === 0xda);
  const areaInBlocks = Math.ceil(width / 8) * Math.ceil(height / 8);
  // One bit of zero for the only code, and ones, which is the longest run.
  const runs = repeat(Buffer.from('011111111111111', 'latin1'), Math.ceil(areaInBlocks / EMPTY_RUN)).toString(
    'latin1',
  );
  const octets = runs.padEnd(Math.ceil(runs.length / 8) * 8, '1').match(/.{8}/g) ?? [];
  const data = join(
    ...octets.map((bits) => (bits === '11111111' ? u8(0xff, 0) : u8(Number.parseInt(bits, 2)))),
  );
  const codes = segment(0xc4, join(u8(0x10, 1, 0), Buffer.alloc(14), u8(0xe0)));
  const parts = [build(blocks.slice(0, first + 2)), codes];
  let length = parts.reduce((sum, part) => sum + part.length, 0);
  for (const [component, coefficient, low] of refinements()) {
    const high = low === 13 ? 0 : low + 1;
    const scan = join(segment(0xda, u8(1, component, 0, coefficient, coefficient, high * 16 + low)), data);
    length += scan.length;
    if (length > bytes) break;
    parts.push(scan);
  }
  return join(...parts, u8(0xff, 0xd9));
}

function* refinements(): Generator<[component: number, coefficient: number, low: number]> {
  for (let low = 13; low >= 0; low--) {
    for (let coefficient = 1; coefficient < 64; coefficient++) {
      for (const component of [1, 2, 3]) yield [component, coefficient, low];
    }
  }
}

/** Repeats the last scan: out of order, which decoders warn of. */
function withScansAgain(file: Buffer, bytes: number): Buffer {
  const { blocks, build } = SPLIT.jpeg(file);
  const start = blocks.findLastIndex((block) => block[1] === 0xda);
  const scan = build(blocks.slice(start, start + 2));
  return join(build(blocks.slice(0, start + 2)), fill(scan, bytes), u8(0xff, 0xd9));
}

/** Sets bytes of the frame header, such as its size or sampling. Offsets count from its marker. */
function withFrame(file: Buffer, changes: Record<number, number>): Buffer {
  const changed = Buffer.from(file);
  const start =
    [0xc0, 0xc1, 0xc2].map((marker) => changed.indexOf(u8(0xff, marker))).find((at) => at !== -1) ?? 0;
  for (const [offset, value] of Object.entries(changes)) changed[start + Number(offset)] = value;
  return changed;
}

export async function* worstJpeg({ bytes, pixels }: Scale): AsyncGenerator<WorstCase> {
  const one = (name: string, file: Buffer, declared = 64 * 64): WorstCase => ({
    name: `jpeg ${name}`,
    format: 'jpeg',
    bytes: file,
    pixels: declared,
  });
  const side = Math.floor(Math.sqrt(pixels));
  const long = Math.min(MAX_SIDE, pixels);
  const short = Math.max(1, Math.floor(pixels / long));
  const tiny = await subject(64, 64).jpeg().toBuffer();
  const tinyProgressive = await subject(64, 64).jpeg({ progressive: true }).toBuffer();

  for (const [width, height] of [
    [1, long],
    [long, 1],
    [long, short],
    [short, long],
    [side, side],
  ] as const) {
    for (const progressive of [false, true]) {
      const file = await flat(width, height).jpeg({ progressive, chromaSubsampling: '4:4:4' }).toBuffer();
      yield one(`${width}×${height}${progressive ? ', progressive' : ''}`, file, width * height);
    }
  }
  const cmyk = await flat(side, side).toColourspace('cmyk').jpeg({ progressive: true }).toBuffer();
  yield one('CMYK, progressive', cmyk, side * side);
  yield one('a scan again and again', withScansAgain(tinyProgressive, bytes));
  for (const share of [1, 50, 5_000]) {
    const size = Math.floor(Math.sqrt(pixels / share));
    const file = await flat(size, size).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer();
    yield one(`scans of ${size}×${size}`, withScans(file, size, size, bytes), size * size);
    yield one(`few scans of ${size}×${size}`, withScans(file, size, size, 4_000), size * size);
    yield one(`a scan of ${size}×${size} again and again`, withScansAgain(file, bytes), size * size);
  }
  const arithmetic = withFrame(tiny, { 1: 0xc9 });
  yield one('arithmetic coding', arithmetic);
  yield one('12 bits', withFrame(tiny, { 1: 0xc1, 4: 12 }));
  yield one('lossless', withFrame(tiny, { 1: 0xc3 }));
  yield one('sampling of 4×4', withFrame(tiny, { 11: 0x44, 14: 0x11, 17: 0x14 }));
  const declaredSize = { 5: long >> 8, 6: long & 255, 7: short >> 8, 8: short & 255 };
  yield one('size without data', withFrame(tiny, declaredSize), long * short);
  yield one('size without data, progressive', withFrame(tinyProgressive, declaredSize), long * short);

  yield one('comments', withSegments(tiny, fill(segment(0xfe, Buffer.alloc(0)), bytes)));
  yield one('long comments', withSegments(tiny, fill(segment(0xfe, Buffer.alloc(65_000)), bytes)));
  yield one('unknown segments', withSegments(tiny, fill(segment(0xe9, Buffer.alloc(0)), bytes)));
  yield one('fill bytes', withSegments(tiny, repeat(u8(0xff), bytes)));
  yield one('restart intervals', withSegments(tiny, fill(segment(0xdd, u16be(1)), bytes)));
  yield one(
    'quantisation tables',
    withSegments(tiny, fill(segment(0xdb, join(u8(0), repeat(u8(1), 64))), bytes)),
  );
  const codes = segment(0xc4, join(u8(0, 0, 2), Buffer.alloc(14), u8(1, 2)));
  yield one('code tables', withSegments(tiny, fill(codes, bytes)));
  yield one('adaptive code tables', withSegments(tiny, fill(segment(0xcc, u8(0, 0x10)), bytes)));
  const profile = (part: number) =>
    segment(0xe2, join(ascii('ICC_PROFILE\0'), u8(part % 256, 255), Buffer.alloc(Math.min(65_000, bytes))));
  const parts = Math.min(255, Math.max(1, Math.floor(bytes / 65_000)));
  yield one(
    'a profile in parts',
    withSegments(tiny, join(...Array.from({ length: parts }, (_, i) => profile(i + 1)))),
  );
  const exif = (offset: number) =>
    segment(
      0xe1,
      join(
        ascii('Exif\0\0MM\0*'),
        u32be(offset),
        u16be(5_000),
        repeat(u8(1, 18, 0, 3), Math.min(15_000, bytes >> 2)),
      ),
    );
  yield one('EXIF of many entries', withSegments(tiny, fill(exif(8), bytes)));
  yield one('EXIF that points to itself', withSegments(tiny, fill(exif(0), bytes)));
  yield one('data after the end', join(tiny, Buffer.alloc(bytes)));
  yield one('pictures behind it', join(tiny, fill(tiny, bytes)));
  yield one(
    'restart markers in the data',
    join(tiny.subarray(0, -2), fill(u8(0xff, 0xd0), bytes), u8(0xff, 0xd9)),
  );
}
