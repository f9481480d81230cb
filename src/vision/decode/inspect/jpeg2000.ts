import { ServiceError } from '../../../errors.ts';
import { BrokenImageError } from '../broken-image.ts';
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
/** The standard allows 32, but each halves the sides, and encoders make 5 or 6. */
const MAX_LEVELS = 16;
/** Parts of a resolution of a tile. OpenJPEG takes up to 2 kB for each. Without sizes of its own, a file has 18 for each tile. */
const MAX_PRECINCTS = 50_000;
/** Each precinct has a packet in each layer. An empty one takes 60 ns. */
const MAX_PACKETS = 1_000_000;
/** Grey, and red, green and blue. */
const COMPONENTS = [1, 3];
const MIN_BITS = 8;
const MAX_BITS = 16;

/** Begins a codestream: its marker, and that of its size. */
const SIGNATURE = [0xff, 0x4f, 0xff, 0x51];

/** ISO/IEC 15444-1, table A.2. */
const MARKERS = { SIZ: 0xff51, COD: 0xff52, SOT: 0xff90, SOD: 0xff93, END: 0xffd9 };
/**
 * What may be in headers beside them: lengths, packed headers, quantisation, offsets of colours, comments. No others, because
 * OpenJPEG looks for known markers inside of unknown segments. Missing are those that replace the style of coding for a part of
 * the picture, and regions of interest.
 */
const OF_PICTURES = [0xff55, 0xff57, 0xff60, 0xff5c, 0xff5d, 0xff63, 0xff64];
const OF_TILES = [0xff58, 0xff61, 0xff5c, 0xff5d, 0xff64];

/** Enumerated colour spaces of a file (I.5.3.3). */
const SRGB = 16;
const GREY = 17;

export interface Codestream extends Size {
  /** Its bytes. A file has more around it, of which nothing is needed. */
  bytes: Uint8Array;
}

/** Finds the codestream, and reads its size (A.5.1). */
export function findCodestream(bytes: Uint8Array): Codestream {
  const file = new ByteReader(bytes);
  const whole = startsWith(bytes, SIGNATURE);
  const box = whole ? undefined : boxesIn(file, 0, file.length).find(({ name }) => name === 'jp2c');
  const codestream = whole ? bytes : bytes.subarray(box?.from ?? 0, box?.to ?? 0);
  if (!startsWith(codestream, SIGNATURE)) refuse('No picture.');
  const [right, bottom, left, top] = sizesOf(new ByteReader(codestream));
  if (right <= left || bottom <= top) refuse('A picture without a size.');
  return { bytes: codestream, width: right - left, height: bottom - top };
}

/** Reads the headers of the codestream (ISO/IEC 15444-1, annex A), and of a file what says how its channels are meant. */
export function inspectJpeg2000(bytes: Uint8Array, maxPixels: number): Size {
  const { bytes: codestream, ...size } = findCodestream(bytes);
  const pixels = size.width * size.height;
  if (pixels > maxPixels) return size;
  const file = new ByteReader(codestream);
  // OpenJPEG would decode what there is.
  if (file.u16(file.length - 2) !== MARKERS.END) throw new BrokenImageError();
  if (pixels > MAX_PIXELS) {
    throw new ServiceError('IMAGE_TOO_LARGE', {
      detail: `${pixels} pixels; the limit of JPEG 2000 is ${MAX_PIXELS}.`,
    });
  }
  if (codestream !== bytes) inspectColours(new ByteReader(bytes));
  inspectChannels(file);
  inspectTileParts(file, inspectMainHeader(file));
  return size;
}

/** Width and height with their offset, the offset, and width and height of a tile. */
const sizesOf = (file: ByteReader) =>
  [0, 1, 2, 3, 4, 5].map((index) => file.u32(8 + 4 * index)) as [
    right: number,
    bottom: number,
    left: number,
    top: number,
    tileWidth: number,
    tileHeight: number,
  ];

const UNSUPPORTED_CHANNELS = 'JPEG 2000 is supported in RGB and grey only.';

/** Annex I.5.3. A colour profile is ignored, as OpenCV does. */
function inspectColours(file: ByteReader): void {
  const header = boxesIn(file, 0, file.length).find(({ name }) => name === 'jp2h');
  for (const { name, from } of header ? boxesIn(file, header.from, header.to) : []) {
    const enumerated = name === 'colr' && file.u8(from) === 1;
    const colours = enumerated && ![SRGB, GREY].includes(file.u32(from + 3));
    // A palette, and channels in another order.
    if (colours || name === 'pclr' || name === 'cdef') refuse(UNSUPPORTED_CHANNELS);
  }
}

function inspectChannels(file: ByteReader): void {
  const components = file.u16(40);
  if (!COMPONENTS.includes(components)) refuse(UNSUPPORTED_CHANNELS);
  for (let at = 42; at < 42 + 3 * components; at += 3) {
    // The highest bit is the sign.
    const bits = file.u8(at) + 1;
    if (bits < MIN_BITS || bits > MAX_BITS || bits !== file.u8(42) + 1) {
      refuse(`Channels with a sign, or not of ${MIN_BITS} to ${MAX_BITS} bits.`);
    }
    if (file.u8(at + 1) !== 1 || file.u8(at + 2) !== 1) refuse('Channels of different sizes.');
  }
}

/** @returns where the first tile-part begins. */
function inspectMainHeader(file: ByteReader): number {
  let styles = 0;
  let sizes = 0;
  const at = eachSegment(file, 2, MARKERS.SOT, (marker, content) => {
    if (marker === MARKERS.COD) {
      styles++;
      inspectCodingStyle(file, content);
    } else if (marker === MARKERS.SIZ) {
      sizes++;
    } else if (!OF_PICTURES.includes(marker)) {
      refuse('A segment that is not supported.');
    }
  });
  // Libraries differ on which of two they take.
  if (styles !== 1 || sizes !== 1) refuse('There must be one style of coding.');
  return at;
}

/** A.6.1. Precincts: B.5 to B.7. */
function inspectCodingStyle(file: ByteReader, at: number): void {
  const ownPrecincts = (file.u8(at) & 1) === 1;
  const layers = file.u16(at + 2);
  const levels = file.u8(at + 5);
  if (levels > MAX_LEVELS) refuse(`More than ${MAX_LEVELS} levels.`);
  const [right, bottom, left, top, tileWidth, tileHeight] = sizesOf(file);
  const tiles = Math.ceil(right / tileWidth) * Math.ceil(bottom / tileHeight);
  if (!(tiles <= MAX_TILES)) refuse(`More than ${MAX_TILES} tiles.`);
  const tile = [Math.min(tileWidth, right - left), Math.min(tileHeight, bottom - top)] as const;
  let precincts = 0;
  for (let resolution = 0; resolution <= levels; resolution++) {
    const exponents = ownPrecincts ? file.u8(at + 10 + resolution) : 0xff;
    const along = (side: number, exponent: number) =>
      Math.ceil(Math.ceil(side / 2 ** (levels - resolution)) / 2 ** exponent);
    precincts += along(tile[0], exponents & 15) * along(tile[1], exponents >> 4);
  }
  precincts *= tiles * file.u16(40);
  if (precincts > MAX_PRECINCTS) refuse(`More than ${MAX_PRECINCTS} precincts.`);
  if (precincts * layers > MAX_PACKETS) refuse(`More than ${MAX_PACKETS} packets.`);
}

/** A.4.2: each tile-part says how long it is. */
function inspectTileParts(file: ByteReader, from: number): void {
  let at = from;
  for (let parts = 1; file.u16(at) === MARKERS.SOT; parts++) {
    if (parts > MAX_TILE_PARTS) refuse(`More than ${MAX_TILE_PARTS} parts of tiles.`);
    const length = file.u32(at + 6);
    eachSegment(file, at + 12, MARKERS.SOD, (marker) => {
      if (!OF_TILES.includes(marker)) refuse('A segment of a tile that is not supported.');
    });
    // 0: up to the end of the picture.
    if (length === 0) return;
    if (length < 14) throw new BrokenImageError();
    at += length;
  }
  if (at !== file.length - 2) throw new BrokenImageError();
}

/** Visits segments up to a marker, and returns where that is. */
function eachSegment(
  file: ByteReader,
  from: number,
  last: number,
  visit: (marker: number, content: number) => void,
): number {
  let at = from;
  while (file.u16(at) !== last) {
    const length = file.u16(at + 2);
    if (at + 2 + length > file.length || length < 2) throw new BrokenImageError();
    visit(file.u16(at), at + 4);
    at += 2 + length;
  }
  return at;
}
