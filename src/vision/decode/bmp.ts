import type { Pixels } from '../picture.ts';
import { BrokenImageError } from './broken-image.ts';
import { ByteReader } from './inspect/byte-reader.ts';

/*
 * Windows bitmaps, which sharp does not read: 1, 4, 8, 16, 24 and 32 bits, palettes, masks and run lengths. Pixels are those of
 * OpenCV (modules/imgcodecs/src/grfmt_bmp.cpp): alpha is dropped, and a channel of fewer than 8 bits is shifted to the left.
 * Source of the format: Microsoft, "Bitmap Storage" (BITMAPCOREHEADER to BITMAPV5HEADER).
 */

const FILE_HEADER_BYTES = 14;
const CORE_HEADER_BYTES = 12;
const INFO_HEADER_BYTES = 40;
const COMPRESSION = { none: 0, runs8: 1, runs4: 2, masks: 3, masksWithAlpha: 6 };
/** Red, green and blue of 16 and 32 bits without masks of their own. */
const MASKS_555 = [0x7c00, 0x03e0, 0x001f];
const MASKS_888 = [0xff0000, 0x00ff00, 0x0000ff];

export interface BmpHeader {
  width: number;
  height: number;
  /** The first row is at the top; usually it is at the bottom. */
  topDown: boolean;
  bits: number;
  compression: number;
  /** Where the palette or the masks, and the pixels begin. */
  tableAt: number;
  pixelsAt: number;
  /** Bytes of a colour of the palette. */
  colourBytes: number;
}

/** @returns undefined for what is no header of a bitmap. */
export function readBmpHeader(bytes: Uint8Array): BmpHeader | undefined {
  const file = new ByteReader(bytes, true);
  const pixelsAt = file.u32(10);
  const headerBytes = file.u32(FILE_HEADER_BYTES);
  if (headerBytes === CORE_HEADER_BYTES) {
    return {
      width: file.u16(18),
      height: file.u16(20),
      topDown: false,
      bits: file.u16(24),
      compression: COMPRESSION.none,
      tableAt: FILE_HEADER_BYTES + headerBytes,
      pixelsAt,
      colourBytes: 3,
    };
  }
  if (headerBytes < INFO_HEADER_BYTES || !file.has(FILE_HEADER_BYTES, INFO_HEADER_BYTES)) return undefined;
  const height = file.u32(22) | 0;
  return {
    width: file.u32(18) | 0,
    height: Math.abs(height),
    topDown: height < 0,
    bits: file.u16(28),
    compression: file.u32(30),
    // Masks follow a header of 40 bytes, and are at the same place in a longer one.
    tableAt: FILE_HEADER_BYTES + headerBytes,
    pixelsAt,
    colourBytes: 4,
  };
}

/**
 * @param bytes a file whose size has been checked.
 * @throws {ServiceError} INVALID_IMAGE for a damaged or truncated file, or a form that bitmaps do not have.
 */
export function decodeBmp(bytes: Uint8Array): Pixels {
  const header = readBmpHeader(bytes);
  if (header === undefined || header.width <= 0 || header.height === 0) throw new BrokenImageError();
  const { bits, compression } = header;
  const file = new ByteReader(bytes, true);
  if (compression === COMPRESSION.runs8 && bits === 8) return decodeRuns(file, header);
  if (compression === COMPRESSION.runs4 && bits === 4) return decodeRuns(file, header);
  const masked = compression === COMPRESSION.masks || compression === COMPRESSION.masksWithAlpha;
  if (compression !== COMPRESSION.none && !(masked && bits >= 16)) throw new BrokenImageError();
  const rowBytes = 4 * Math.ceil((header.width * bits) / 32);
  if (!file.has(header.pixelsAt, rowBytes * (header.height - 1) + Math.ceil((header.width * bits) / 8))) {
    throw new BrokenImageError();
  }
  if ([1, 4, 8].includes(bits)) return decodeIndices(file, header, rowBytes);
  if (bits === 24) return decodeColours(file, header, rowBytes, MASKS_888);
  if (bits !== 16 && bits !== 32) throw new BrokenImageError();
  const masksAt = FILE_HEADER_BYTES + INFO_HEADER_BYTES;
  const own = [0, 4, 8].map((offset) => file.u32(masksAt + offset));
  return decodeColours(file, header, rowBytes, masked ? own : bits === 16 ? MASKS_555 : MASKS_888);
}

function emptyPicture({ width, height }: BmpHeader): Pixels {
  return { data: new Uint8Array(3 * width * height), width, height };
}

/** Where a row of the file begins in the picture, in bytes. */
const rowStart = ({ width, height, topDown }: BmpHeader, row: number) =>
  3 * width * (topDown ? row : height - 1 - row);

/** @returns 256 colours; black beyond the end of the palette. */
function readPalette(file: ByteReader, { tableAt, pixelsAt, colourBytes }: BmpHeader): Uint8Array {
  const palette = new Uint8Array(3 * 256);
  for (let colour = 0; colour < 256; colour++) {
    const at = tableAt + colour * colourBytes;
    if (at + 3 > pixelsAt) break;
    palette.set([file.u8(at + 2), file.u8(at + 1), file.u8(at)], 3 * colour);
  }
  return palette;
}

function decodeIndices(file: ByteReader, header: BmpHeader, rowBytes: number): Pixels {
  const picture = emptyPicture(header);
  const palette = readPalette(file, header);
  const { width, height, bits, pixelsAt } = header;
  const mask = (1 << bits) - 1;
  for (let row = 0; row < height; row++) {
    let to = rowStart(header, row);
    for (let x = 0; x < width; x++, to += 3) {
      const byte = file.bytes[pixelsAt + row * rowBytes + ((x * bits) >> 3)] as number;
      const index = (byte >> (8 - bits - ((x * bits) & 7))) & mask;
      picture.data[to] = palette[3 * index] as number;
      picture.data[to + 1] = palette[3 * index + 1] as number;
      picture.data[to + 2] = palette[3 * index + 2] as number;
    }
  }
  return picture;
}

function decodeColours(
  { bytes }: ByteReader,
  header: BmpHeader,
  rowBytes: number,
  masks: readonly number[],
): Pixels {
  const picture = emptyPicture(header);
  const { width, height, bits, pixelsAt } = header;
  const step = bits / 8;
  const channels = masks.map((mask) => ({ mask, left: leftShiftTo8Bits(mask) }));
  for (let row = 0; row < height; row++) {
    let to = rowStart(header, row);
    let from = pixelsAt + row * rowBytes;
    for (let x = 0; x < width; x++, from += step) {
      let value = 0;
      for (let byte = step - 1; byte >= 0; byte--) value = (value << 8) | (bytes[from + byte] as number);
      for (const { mask, left } of channels) {
        const level = value & mask;
        picture.data[to++] = left >= 0 ? level << left : level >>> -left;
      }
    }
  }
  return picture;
}

/** How far to the left a channel moves so that its highest bit is that of a byte; negative to the right. */
const leftShiftTo8Bits = (mask: number) => Math.clz32(mask) - 24;

/** Pairs of a count and an index; after a count of 0, the end of a row (0) or picture (1), a jump (2), or indices as they are. */
function decodeRuns(file: ByteReader, header: BmpHeader): Pixels {
  const picture = emptyPicture(header);
  const palette = readPalette(file, header);
  const { width, height, bits } = header;
  const put = (x: number, row: number, index: number) => {
    if (x >= width || row >= height) throw new BrokenImageError();
    picture.data.set(palette.subarray(3 * index, 3 * index + 3), rowStart(header, row) + 3 * x);
  };
  /** The index at a place of a run whose bytes begin at `from`. */
  const indexAt = (from: number, place: number) =>
    bits === 8 ? file.u8(from + place) : (file.u8(from + (place >> 1)) >> (place & 1 ? 0 : 4)) & 15;
  // Pixels that no run paints have the first colour.
  for (let pixel = 0; pixel < picture.data.length; pixel += 3)
    picture.data.set(palette.subarray(0, 3), pixel);
  let x = 0;
  let row = 0;
  let at = header.pixelsAt;
  while (file.has(at, 2)) {
    const count = file.u8(at);
    const value = file.u8(at + 1);
    at += 2;
    if (count > 0) {
      for (let place = 0; place < count; place++) put(x++, row, indexAt(at - 1, bits === 8 ? 0 : place & 1));
    } else if (value === 0) {
      x = 0;
      row++;
    } else if (value === 1) {
      return picture;
    } else if (value === 2) {
      x += file.u8(at);
      row += file.u8(at + 1);
      at += 2;
    } else {
      const bytes = Math.ceil((value * bits) / 8);
      if (!file.has(at, bytes)) throw new BrokenImageError();
      for (let place = 0; place < value; place++) put(x++, row, indexAt(at, place));
      at += bytes + (bytes % 2);
    }
  }
  throw new BrokenImageError();
}
