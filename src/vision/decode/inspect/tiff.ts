import { ascii, startsWith } from '../format.ts';
import { ByteReader } from './byte-reader.ts';
import { inspectProfile } from './icc.ts';
import { inspectJpeg } from './jpeg.ts';
import { refuse, type Size } from './limits.ts';

/** Pages, of which the first is decoded. libvips counts them, at 20 µs each; 60,000 took 1.1 s. */
const MAX_DIRECTORIES = 300;
/** Entries of all directories. */
const MAX_ENTRIES = 5000;
/** Different tags. libtiff takes time in their square: 4,000 unknown ones took 1.9 s. TIFF has about 100. */
const MAX_TAGS = 250;
/**
 * Bytes of all values in relation to those of the file. They cannot exceed it unless tags share them; libtiff copies them for
 * each tag: 4,000 tags with the same 8 MB took 30 s.
 */
const MAX_SHARING = 2;
/**
 * Pixels for each byte by which compressed strips or tiles may exceed the file. They exceed it only if they share bytes, as tiles
 * without content do in files of some writers, in few bytes. libtiff reads them for each: 700 strips with the same megabyte of
 * empty blocks of deflate took 5 s.
 */
const PIXELS_PER_SHARED_BYTE = 4;
/** Scans of one strip or tile in JPEG, which may have as few as 256 pixels. Writers use one. */
const MAX_SEGMENT_SCANS = 16;
/** As in sharp, which refuses more. */
const MAX_CHANNELS = 5;

const TAG = {
  width: 256,
  height: 257,
  compression: 259,
  stripOffsets: 273,
  stripLengths: 279,
  tileOffsets: 324,
  tileLengths: 325,
  exif: 34665,
  profile: 34675,
  gps: 34853,
};
const UNCOMPRESSED = 1;
const OLD_JPEG = 6;
const JPEG = 7;
/** Bytes of a value of each type (TIFF 6.0, section 2); values of other types are not read. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

/** The layout of directories: TIFF 6.0, section 2, and that of BigTIFF, whose numbers have eight bytes. */
interface Form {
  /** Where the offset of the first directory is. */
  firstAt: number;
  countBytes: number;
  entryBytes: number;
  /** Bytes of an offset, and of values that an entry itself holds. */
  offsetBytes: number;
}
const BIG_VERSION = 43;
const CLASSIC: Form = { firstAt: 4, countBytes: 2, entryBytes: 12, offsetBytes: 4 };
const BIG: Form = { firstAt: 8, countBytes: 8, entryBytes: 20, offsetBytes: 8 };

interface Value {
  type: number;
  count: number;
  /** Where the values lie. */
  at: number;
}
type Directory = Map<number, Value>;

export function inspectTiff(bytes: Uint8Array, maxPixels: number): Size | undefined {
  const file = new ByteReader(bytes, startsWith(bytes, ascii('II')));
  const form = file.u16(2) === BIG_VERSION ? BIG : CLASSIC;
  const page = readDirectories(file, form);
  if (page === undefined) return undefined;
  const profile = page.get(TAG.profile);
  if (profile) inspectProfile(file.slice(profile.at, profile.count));
  const compression = numberOf(file, page.get(TAG.compression));
  // Superseded in 1995, and decoded with a search through the file.
  if (compression === OLD_JPEG) refuse('JPEG as in TIFF 6.0 of 1992 is not supported.');
  const size = {
    width: numberOf(file, page.get(TAG.width)),
    height: numberOf(file, page.get(TAG.height)),
  };
  // Larger ones are refused anyway.
  if (size.width * size.height > maxPixels || compression === UNCOMPRESSED) return size;
  inspectSegments(file, page, size, compression === JPEG);
  return size;
}

/** Reads all directories. @returns the first. */
function readDirectories(file: ByteReader, form: Form): Directory | undefined {
  const { firstAt, countBytes, entryBytes, offsetBytes } = form;
  // A set also visits what is added while it is read, and ends a chain that is a circle.
  const offsets = new Set([numberAt(file, firstAt, offsetBytes)]);
  const tags = new Set<number>();
  let first: Directory | undefined;
  let entries = 0;
  let valueBytes = 0;
  for (const offset of offsets) {
    // 0 ends the chain.
    if (offset === 0 || !file.has(offset, countBytes)) continue;
    if (offsets.size > MAX_DIRECTORIES) refuse(`More than ${MAX_DIRECTORIES} directories.`);
    const count = numberAt(file, offset, countBytes);
    entries += count;
    if (entries > MAX_ENTRIES) refuse(`More than ${MAX_ENTRIES} entries in directories.`);
    const directory: Directory = new Map();
    const end = offset + countBytes + entryBytes * count;
    for (let entry = offset + countBytes; entry < end; entry += entryBytes) {
      const tag = file.u16(entry);
      const value = readValue(file, entry, form);
      valueBytes += lengthOf(value);
      tags.add(tag);
      // libtiff ignores the second of two equal tags.
      if (!directory.has(tag)) directory.set(tag, value);
    }
    if (tags.size > MAX_TAGS) refuse(`More than ${MAX_TAGS} different tags.`);
    if (valueBytes > MAX_SHARING * file.length) {
      refuse(`Values of tags of more than ${MAX_SHARING} times the bytes of the file.`);
    }
    for (const tag of [TAG.exif, TAG.gps]) {
      const value = directory.get(tag);
      if (value) offsets.add(numberOf(file, value));
    }
    offsets.add(numberAt(file, end, offsetBytes));
    first ??= directory;
  }
  return first;
}

/** Tag, type, number of values; the values if the bytes of an offset hold them, else their place. */
function readValue(file: ByteReader, entry: number, { offsetBytes }: Form): Value {
  const count = numberAt(file, entry + 4, offsetBytes);
  const value = { type: file.u16(entry + 2), count, at: entry + 4 + offsetBytes };
  return lengthOf(value) > offsetBytes ? { ...value, at: numberAt(file, value.at, offsetBytes) } : value;
}

const numberAt = (file: ByteReader, at: number, bytes: number) =>
  bytes === 8 ? file.u64(at) : bytes === 4 ? file.u32(at) : file.u16(at);

const lengthOf = ({ type, count }: Value) => (TYPE_BYTES[type] ?? 0) * count;

/** The value of a tag with one number. */
const numberOf = (file: ByteReader, value: Value | undefined) => numbersOf(file, value, 1)[0] ?? 0;

function numbersOf(file: ByteReader, value: Value | undefined, limit: number): number[] {
  if (value === undefined) return [];
  const size = TYPE_BYTES[value.type] ?? 0;
  if (size === 0 || !file.has(value.at, size)) return [];
  const count = Math.min(value.count, limit, Math.floor((file.length - value.at) / size));
  return Array.from({ length: count }, (_, index) =>
    size === 1 ? file.u8(value.at + index) : numberAt(file, value.at + index * size, size),
  );
}

/** Strips or tiles. */
function inspectSegments(
  file: ByteReader,
  page: Directory,
  { width, height }: Size,
  areJpegs: boolean,
): void {
  // A strip has at least a row, a tile 16 by 16 pixels; each channel may have its own.
  const limit = MAX_CHANNELS * Math.max(height, Math.ceil(width / 16) * Math.ceil(height / 16));
  const offsets = numbersOf(file, page.get(TAG.tileOffsets) ?? page.get(TAG.stripOffsets), limit);
  const lengths = numbersOf(file, page.get(TAG.tileLengths) ?? page.get(TAG.stripLengths), limit);
  const maxBytes = file.length + (width * height) / PIXELS_PER_SHARED_BYTE;
  const segments = new Map<number, number>();
  let bytesOfAll = 0;
  for (const [index, offset] of offsets.entries()) {
    const length = Math.max(0, Math.min(lengths[index] ?? 0, file.length - offset));
    bytesOfAll += length;
    if (bytesOfAll > maxBytes) refuse('Strips or tiles that share too many bytes.');
    segments.set(offset, Math.max(segments.get(offset) ?? 0, length));
  }
  if (!areJpegs) return;
  // Each byte is read once here.
  let bytes = 0;
  for (const [offset, length] of segments) {
    const segment = file.slice(offset, length);
    bytes += segment.length;
    if (bytes > file.length) refuse('Strips or tiles that overlap.');
    inspectJpeg(segment, MAX_SEGMENT_SCANS);
  }
}
