import { ServiceError } from '../../../errors.ts';
import { startsWith } from '../format.ts';
import { ByteReader } from './byte-reader.ts';
import { boxesIn } from './iso-boxes.ts';
import { refuse, type Size } from './limits.ts';

/**
 * A picture may have fewer pixels than in other formats: a megapixel takes about 0.15 s, ten times as long as in a JPEG. Those of
 * passports have 0.3 megapixels.
 */
const MAX_PIXELS = 4_000_000;
/** Parts that are decoded one by one. */
const MAX_TILES = 1024;
/** Sections that the bytes of tiles come in. */
const MAX_TILE_PARTS = 4096;
/** Refinements of the picture, each a packet for every precinct. Encoders make up to about 20. */
const MAX_LAYERS = 100;
/** The standard allows 32, but each halves the sides, and encoders make 5 or 6. */
const MAX_LEVELS = 16;
/** Logarithm of the sides of a precinct, but for those of the smallest resolution. OpenJPEG holds memory for each. */
const MIN_PRECINCT = 6;
/** Grey, and red, green and blue; the decoder knows no others. */
const COMPONENTS = [1, 3];
const MAX_BITS = 16;

/** Begins a codestream: its marker, and that of its size. */
const SIGNATURE = [0xff, 0x4f, 0xff, 0x51];

/** ISO/IEC 15444-1, table A.2. */
const MARKERS = { COD: 0xff52, COC: 0xff53, RGN: 0xff5e, POC: 0xff5f, SOT: 0xff90, SOD: 0xff93, END: 0xffd9 };

/** Reads the headers of the codestream (ISO/IEC 15444-1, annex A); a file has the codestream in a box `jp2c`. */
export function inspectJpeg2000(bytes: Uint8Array, maxPixels: number): Size {
  const file = new ByteReader(bytes);
  const { from: start, to: end } = startsWith(bytes, SIGNATURE)
    ? { from: 0, to: file.length }
    : (boxesIn(file, 0, file.length).find(({ name }) => name === 'jp2c') ?? { from: 0, to: 0 });
  if (!startsWith(bytes, SIGNATURE, start)) refuse('No picture.');
  const size = readSize(file, start);
  const pixels = size.width * size.height;
  if (pixels > maxPixels) return size;
  // OpenJPEG would decode what there is.
  if (file.u16(end - 2) !== MARKERS.END) refuse('The image is broken or truncated.');
  if (pixels > MAX_PIXELS) {
    throw new ServiceError('IMAGE_TOO_LARGE', {
      detail: `${pixels} pixels; the limit of JPEG 2000 is ${MAX_PIXELS}.`,
    });
  }
  inspectTilesAndChannels(file, start);
  inspectTileParts(file, inspectMainHeader(file, start + 2, end), end);
  return size;
}

/** A.5.1. */
function readSize(file: ByteReader, start: number): Size {
  const number = (index: number) => file.u32(start + 8 + 4 * index);
  const [right, bottom, left, top] = [number(0), number(1), number(2), number(3)];
  if (right <= left || bottom <= top) refuse('A picture without a size.');
  return { width: right - left, height: bottom - top };
}

function inspectTilesAndChannels(file: ByteReader, start: number): void {
  const number = (index: number) => file.u32(start + 8 + 4 * index);
  const tiles = Math.ceil(number(0) / number(4)) * Math.ceil(number(1) / number(5));
  if (!(tiles <= MAX_TILES)) refuse(`More than ${MAX_TILES} tiles.`);
  const components = file.u16(start + 40);
  if (!COMPONENTS.includes(components)) refuse('JPEG 2000 is supported in RGB and grey only.');
  for (let at = start + 42; at < start + 42 + 3 * components; at += 3) {
    // The highest bit is the sign.
    if (file.u8(at) >= MAX_BITS) refuse(`Channels with a sign, or of more than ${MAX_BITS} bits.`);
    if (file.u8(at + 1) !== 1 || file.u8(at + 2) !== 1) refuse('Channels of different sizes.');
  }
}

/** @returns where the first tile-part begins. */
function inspectMainHeader(file: ByteReader, from: number, end: number): number {
  let styles = 0;
  const at = eachSegment(file, from, end, MARKERS.SOT, (marker, content) => {
    if (marker === MARKERS.COD) {
      styles++;
      inspectCodingStyle(file, content);
    } else if (OVERRIDES.includes(marker)) {
      refuse('The style of coding differs among channels or regions.');
    }
  });
  // Libraries differ on which of two they take.
  if (styles !== 1) refuse('There must be one style of coding.');
  return at;
}

/** Segments that replace the style of coding for a part of the picture, regions of interest and changes of progression. */
const OVERRIDES = [MARKERS.COC, MARKERS.RGN, MARKERS.POC];

/** A.6.1. */
function inspectCodingStyle(file: ByteReader, at: number): void {
  const ownPrecincts = (file.u8(at) & 1) === 1;
  if (file.u16(at + 2) > MAX_LAYERS) refuse(`More than ${MAX_LAYERS} layers.`);
  const levels = file.u8(at + 5);
  if (levels > MAX_LEVELS) refuse(`More than ${MAX_LEVELS} levels.`);
  if (!ownPrecincts) return;
  for (let level = 1; level <= levels; level++) {
    const sides = file.u8(at + 10 + level);
    if ((sides & 15) < MIN_PRECINCT || sides >> 4 < MIN_PRECINCT) refuse('Precincts are too small.');
  }
}

/** A.4.2: each tile-part says how long it is. */
function inspectTileParts(file: ByteReader, from: number, end: number): void {
  let at = from;
  for (let parts = 1; file.u16(at) === MARKERS.SOT; parts++) {
    if (parts > MAX_TILE_PARTS) refuse(`More than ${MAX_TILE_PARTS} parts of tiles.`);
    const length = file.u32(at + 6);
    eachSegment(file, at + 12, end, MARKERS.SOD, (marker) => {
      if (marker === MARKERS.COD || OVERRIDES.includes(marker)) {
        refuse('The style of coding differs among tiles.');
      }
    });
    // 0: up to the end of the picture.
    if (length === 0) return;
    if (length < 14) refuse('The image is broken or truncated.');
    at += length;
  }
  if (at !== end - 2) refuse('The image is broken or truncated.');
}

/** Visits segments up to a marker, and returns where that is. */
function eachSegment(
  file: ByteReader,
  from: number,
  end: number,
  last: number,
  visit: (marker: number, content: number) => void,
): number {
  let at = from;
  while (file.u16(at) !== last) {
    const length = file.u16(at + 2);
    if (at + 2 + length > end || length < 2) refuse('The image is broken or truncated.');
    visit(file.u16(at), at + 4);
    at += 2 + length;
  }
  return at;
}
