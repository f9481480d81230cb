import { join, repeat, text, u8, u16be, u32be, zeros } from './bytes.ts';

export const segment = (marker: number, ...content: Uint8Array[]) => {
  const data = join(...content);
  return join(u8(0xff, marker), u16be(data.length + 2), data);
};

export const START = u8(0xff, 0xd8);
const END = u8(0xff, 0xd9);
const flatTable = segment(0xdb, u8(0), Buffer.alloc(64, 1));
const frame = (marker: number, width: number, height: number) =>
  segment(marker, u8(8), u16be(height, width), u8(3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0));
/** One code, the bit 0. */
const huffman = (kind: number, symbol: number) => segment(0xc4, u8(kind, 1), zeros(15), u8(symbol));
const scan = (channels: number[], from: number, to: number) =>
  segment(0xda, u8(channels.length, ...channels.flatMap((channel) => [channel, 0]), from, to, 0));

/** Runs of 32,767 ends of blocks in 15 bits each: the code 0, then how many more than 16,384. */
function endsOfBlocks(blocks: number) {
  const bits = `0${'1'.repeat(14)}`.repeat(Math.ceil(blocks / 32767));
  const bytes = bits.match(/.{1,8}/g)?.map((byte) => Number.parseInt(byte.padEnd(8, '1'), 2)) ?? [];
  // A zero follows FF, which is not a marker then.
  return u8(...bytes.flatMap((byte) => (byte === 0xff ? [byte, 0] : [byte])));
}

/** A grey progressive picture, and scans that hold nothing but the ends of blocks. */
export function emptyScans(width: number, height: number, count: number) {
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8);
  const ends = endsOfBlocks(blocks);
  return join(
    START,
    flatTable,
    frame(0xc2, width, height),
    huffman(0x00, 0x00),
    scan([1, 2, 3], 0, 0),
    zeros(Math.ceil((blocks * 3) / 8)),
    huffman(0x10, 0xe0),
    ...Array.from({ length: count }, (_, index) =>
      join(scan([1 + (index % 3)], 1 + (index % 63), 1 + (index % 63)), ends),
    ),
    END,
  );
}

export const arithmetic = (width: number, height: number) =>
  join(START, flatTable, frame(0xc9, width, height), scan([1, 2, 3], 0, 63), zeros(1000), END);

/** Puts segments behind the start of a JPEG. */
export const withSegments = (jpeg: Uint8Array, ...segments: Uint8Array[]) =>
  join(jpeg.subarray(0, 2), ...segments, jpeg.subarray(2));

export const exifSegment = (tiff: Uint8Array) => segment(0xe1, text('Exif\0\0'), tiff);
export const profileSegment = (profile: Uint8Array) =>
  segment(0xe2, text('ICC_PROFILE\0'), u8(1, 1), profile);

/** EXIF: a directory of pointers to itself. */
export function circularExif(pointers: number) {
  const entry = join(u8(0x87, 0x69), u16be(4), u32be(1, 8));
  return join(text('MM'), u16be(42), u32be(8), u16be(pointers), repeat(entry, pointers), u32be(0));
}
