import type { KoffiFunc } from 'koffi';
import { orientPixels } from '../orient-pixels.ts';
import type { Pixels } from '../picture.ts';
import { type PlainHeader, readPlainHeader } from './plain-jpeg-header.ts';
import { type RowDecoding, type TurboJpeg, turboJpeg } from './turbojpeg.ts';

/** TJPF_RGB, TJFLAG_STOPONWARNING and the colour spaces TJCS_RGB, TJCS_YCbCr and TJCS_GRAY of turbojpeg.h. */
const RGB = 0;
const STOP_ON_WARNING = 8192;
const COLOUR_SPACES = [0, 1, 2];
const END = Buffer.from([0xff, 0xd9]);
/** TJERR_WARNING. */
const WARNING = 0;

export interface PlainJpegOptions {
  /** Pixels (width × height) above which nothing is allocated. */
  maxPixels: number;
  /** Whether a picture with a colour profile is plain. */
  ignoreProfile: boolean;
  /** Whether a picture that is not truncated is decoded in spite of warnings. */
  acceptWarnings?: boolean;
  /** Whether a second core is idle, for a part of a large picture. */
  coresIdle?: boolean | undefined;
}

/**
 * Decodes a plain JPEG: 8 bits, grey or three channels, baseline or progressive, upright or with an orientation. The pixels are
 * those of sharp and OpenCV, bit for bit, since all of them use libjpeg's accurate integer arithmetic; sharp takes longer to set
 * up its pipeline and to pass the rows through it.
 *
 * The decoder is created for the picture. One that is used again keeps its tables, and would apply them to a picture that has
 * none of its own.
 *
 * @returns undefined for any other picture, where libjpeg reports an error or a warning, and without libjpeg-turbo: sharp then
 *   decodes it.
 */
export async function decodePlainJpeg(
  bytes: Uint8Array,
  options: PlainJpegOptions,
): Promise<Pixels | undefined> {
  const { maxPixels, ignoreProfile, acceptWarnings = false, coresIdle = false } = options;
  const header = readPlainHeader(bytes, ignoreProfile);
  if (header === undefined || header.width * header.height > maxPixels) return undefined;
  if (acceptWarnings && !hasEnd(bytes, header)) return undefined;
  const library = turboJpeg();
  const decoder = library?.createDecoder();
  if (!library || !decoder) return undefined;
  try {
    const { width, height, orientation } = header;
    if (!agrees(library, decoder, bytes, header)) return undefined;
    const picture = { data: allocatePixels(library, width * height * 3), width, height };
    const inParts = coresIdle && !acceptWarnings && isWorthParting(header);
    const failed =
      inParts && library.rows
        ? await decodeInParts({ ...library, rows: library.rows }, decoder, bytes, picture)
        : await decode(library, decoder, bytes, picture, acceptWarnings ? 0 : STOP_ON_WARNING);
    if (failed !== 0 && !(acceptWarnings && library.errorCode(decoder) === WARNING)) return undefined;
    return orientPixels(picture, orientation);
  } finally {
    library.destroyDecoder(decoder);
  }
}

/** Whether the marker of the end follows. In the data of a scan, FF is followed by 0 or is a marker. */
function hasEnd({ buffer, byteOffset, byteLength }: Uint8Array, { scanAt }: PlainHeader): boolean {
  return Buffer.from(buffer, byteOffset, byteLength).indexOf(END, scanAt) >= 0;
}

/** Whether libjpeg reads the same size: it writes as many rows as it finds. */
function agrees(
  library: TurboJpeg,
  decoder: bigint,
  bytes: Uint8Array,
  { width, height }: Pick<Pixels, 'width' | 'height'>,
): boolean {
  const found = new Int32Array(4);
  const [atWidth, atHeight, subsampling, atColourSpace] = [0, 1, 2, 3].map((at) => found.subarray(at)) as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  const failed = library.readHeader(
    decoder,
    bytes,
    bytes.length,
    atWidth,
    atHeight,
    subsampling,
    atColourSpace,
  );
  return (
    failed === 0 && found[0] === width && found[1] === height && COLOUR_SPACES.includes(found[3] as number)
  );
}

/** From this size on, a part on another thread saves more time (1 ms) than the thread takes to come and go. */
const MIN_PARTED_PIXELS = 1 << 20;
/**
 * The share of the rows that the first part has. The second part also decodes the Huffman codes of the rows before it, which
 * is half of the work of a row, so both parts take two thirds of the time of the whole.
 */
const FIRST_PART = 2 / 3;
/** Rows of the largest unit that a JPEG codes. Any row would do; libjpeg decodes whole units. */
const UNIT_ROWS = 16;

/** Whether a picture has rows enough for two parts, and its rows can be decoded without all before them. */
const isWorthParting = ({ sequential, width, height }: PlainHeader) =>
  sequential && width * height >= MIN_PARTED_PIXELS && height >= 4 * UNIT_ROWS;

/**
 * Decodes two parts of a picture at a time, one on libuv's pool, the other on this thread, with the pixels of a decoder that
 * decodes all (libjpeg-turbo's own tests hold it to that).
 *
 * @returns as {@link decode}. A warning is one wherever it is.
 */
async function decodeInParts(
  library: TurboJpeg & { rows: RowDecoding },
  decoder: bigint,
  bytes: Uint8Array,
  { data, width, height }: Pixels,
): Promise<number> {
  const { rows } = library;
  const second = library.createDecoder();
  if (!second) return -1;
  try {
    const cut = Math.round((height * FIRST_PART) / UNIT_ROWS) * UNIT_ROWS;
    if (!agrees(library, second, bytes, { width, height })) return -1;
    for (const each of [decoder, second]) rows.stopOnWarning(each);
    if (rows.select(decoder, 0, cut) !== 0 || rows.select(second, cut, height - cut) !== 0) return -1;
    const rest = data.subarray(cut * width * 3);
    const first = onPool(rows.decode, decoder, bytes, bytes.length, data, 0, RGB);
    const failed = rows.decode(second, bytes, bytes.length, rest, 0, RGB);
    return (await first) || failed;
  } finally {
    library.destroyDecoder(second);
  }
}

/** Pixels that decode in less time (about 1 ms) than a thread of libuv's pool takes to come and go on a busy machine. */
const SMALL_PIXELS = 640 * 480;

/** On libuv's pool, unless the picture is small. @returns a number other than 0 for an error or a warning. */
function decode(
  { decode }: TurboJpeg,
  decoder: bigint,
  bytes: Uint8Array,
  { data, width, height }: Pixels,
  flags: number,
): number | Promise<number> {
  const call: Parameters<typeof decode> = [decoder, bytes, bytes.length, data, width, 0, height, RGB, flags];
  if (width * height <= SMALL_PIXELS) return decode(...call);
  return onPool(decode, ...call);
}

/** Calls a function of the library on libuv's pool. */
function onPool<Parameters extends unknown[]>(
  native: KoffiFunc<(...parameters: Parameters) => number>,
  ...parameters: Parameters
): Promise<number> {
  return new Promise((resolve, reject) => {
    native.async(...parameters, (error: unknown, result: number) => {
      // Refers to the memory, since koffi does not, and nothing else may.
      parameters.fill(0);
      if (error) reject(error);
      else resolve(result);
    });
  });
}

/** From this size on, glibc always takes an allocation from the system and gives it back (DEFAULT_MMAP_THRESHOLD_MAX). */
const LARGE_BYTES = 32 << 20;
/** MADV_HUGEPAGE of madvise(2). */
const HUGE_PAGES = 14;
const PAGE_BYTES = 4096;

/**
 * Memory with arbitrary content. The pixels of large photographs come in fresh memory, which the system provides page by page;
 * with huge pages, that takes a third of the time: 5 instead of 15 ms for 12 megapixels, which decode in 28.
 */
function allocatePixels({ advise, addressOf }: TurboJpeg, length: number): Uint8Array {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(length);
  const pixels = new Uint8Array(buffer, byteOffset, length);
  if (advise && length >= LARGE_BYTES) {
    const address = addressOf(pixels);
    const skipped = Number(-address & BigInt(PAGE_BYTES - 1));
    const pages = Math.floor((length - skipped) / PAGE_BYTES);
    // A refusal changes nothing but the time.
    advise(address + BigInt(skipped), pages * PAGE_BYTES, HUGE_PAGES);
  }
  return pixels;
}
