import { type Item, type Items, readItems } from './avif-items.ts';
import { ByteReader } from './byte-reader.ts';
import { inspectExif } from './exif.ts';
import { countHevcPictures } from './hevc.ts';
import { inspectProfile } from './icc.ts';
import { refuse, type Size } from './limits.ts';

/**
 * Pixels to decode, in relation to those of the picture and with an allowance for small ones: transparency is decoded too,
 * the tiles of a grid may exceed the picture, and a coded picture may have layers or frames that are not shown, of which
 * all are decoded. 256 tiles for a picture of 64×64 pixels took 2.5 s.
 */
const MAX_CODED_SHARE = 8;
const SMALL_PIXELS = 1_000_000;

/** Bytes of all items in relation to those of the file. They can exceed it only if items share them. */
const MAX_SHARING = 2;
/** A picture may be turned, mirrored and cropped, once each. libheif copies it every time. */
const MAX_TRANSFORMS = 3;
/** Pictures put together from pictures put together, and so on. */
const MAX_DEPTH = 4;
/** What an item counts as at least. */
const MIN_ITEM_PIXELS = 64 * 64;

/** Open bitstream units that make libaom decode a frame (AV1 specification, 6.2.2). */
const FRAME_UNITS = [3, 6];

/** Types of items that are decoded in AVIF: coded pictures, and those put together from others. */
const AVIF_TYPES = ['av01', 'grid', 'iovl', 'iden'];
/** The same in HEIC, without overlays: their size is also in their data, and libheif allocates that. */
const HEIC_TYPES = ['hvc1', 'grid', 'iden'];

export const inspectAvif = (bytes: Uint8Array): Size => inspectItems(bytes, AVIF_TYPES);

export const inspectHeic = (bytes: Uint8Array): Size => inspectItems(bytes, HEIC_TYPES);

/** Both formats have the same boxes, and pictures of another codec in them. */
function inspectItems(bytes: Uint8Array, types: string[]): Size {
  const file = new ByteReader(bytes);
  const all = readItems(file);
  const { items, primary, profiles } = all;
  let itemBytes = 0;
  for (const item of items.values()) {
    for (const part of item.parts) itemBytes += part.length;
    if (item.transforms > MAX_TRANSFORMS) refuse(`More than ${MAX_TRANSFORMS} transforms.`);
  }
  if (itemBytes > MAX_SHARING * file.length) refuse(`Items of more than ${MAX_SHARING} times the file.`);
  for (const profile of profiles) inspectProfile(profile);
  for (const item of items.values()) {
    // Before the block, four bytes say where in it TIFF's header is.
    if (item.type === 'Exif') inspectExif(Buffer.concat(item.parts).subarray(4));
    if (item.type === 'av01') item.frames = framesOf(item);
    if (item.type === 'hvc1') item.frames = picturesOf(item);
  }
  const size = items.get(primary)?.size;
  if (size === undefined) refuse('A picture without a size.');
  const limit = MAX_CODED_SHARE * (size.width * size.height) + SMALL_PIXELS;
  if (codedPixels(primary, all, types, limit, 0) > limit) {
    refuse(`Tiles, layers and frames of more than ${limit} pixels.`);
  }
  return size;
}

/** Pixels that are decoded for an item. Stops above the limit. */
function codedPixels(id: number, all: Items, types: string[], limit: number, depth: number): number {
  if (depth > MAX_DEPTH) refuse(`Pictures nested more than ${MAX_DEPTH} deep.`);
  const item = all.items.get(id);
  if (item === undefined) return 0;
  if (item.size === undefined) refuse('A picture without a size.');
  if (!types.includes(item.type)) refuse('A picture of another codec.');
  const coded = item.hevc?.size ?? item.size;
  const area = Math.max(item.size.width * item.size.height, coded.width * coded.height);
  let pixels = Math.max(area * item.frames, MIN_ITEM_PIXELS);
  for (const other of [...(all.sources.get(id) ?? []), ...(all.auxiliaries.get(id) ?? [])]) {
    if (pixels > limit) return pixels;
    pixels += codedPixels(other, all, types, limit, depth + 1);
  }
  return pixels;
}

/** Pictures that are decoded for an item of HEVC. */
function picturesOf(item: Item): number {
  if (item.hevc === undefined) refuse('A picture without a configuration.');
  return countHevcPictures(Buffer.concat(item.parts), item.hevc.lengthBytes);
}

/** Counts frames by the headers of units (AV1 specification, 5.3.2): type, whether there is an extension, a length. */
function framesOf(item: Item): number {
  const [only] = item.parts;
  const data = item.parts.length === 1 && only ? only : Buffer.concat(item.parts);
  let frames = 0;
  let at = 0;
  while (at < data.length) {
    const header = data[at] ?? 0;
    if (FRAME_UNITS.includes((header >> 3) & 15)) frames++;
    at += header & 4 ? 2 : 1;
    // Without a length, the unit goes to the end.
    if ((header & 2) === 0) break;
    let length = 0;
    for (let shift = 0; shift < 56; shift += 7) {
      const byte = data[at++] ?? 0;
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    at += length;
  }
  return frames;
}
