import { orientPixels } from '../orient-pixels.ts';
import type { Pixels } from '../picture.ts';
import { type PlainHeader, readPlainHeader } from './plain-jpeg-header.ts';
import { type TurboJpeg, turboJpeg } from './turbojpeg.ts';

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
  const { maxPixels, ignoreProfile, acceptWarnings = false } = options;
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
    const failed = await decode(library, decoder, bytes, picture, acceptWarnings ? 0 : STOP_ON_WARNING);
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
  { width, height }: PlainHeader,
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
  return new Promise((resolve, reject) => {
    decode.async(...call, (error, failed) => {
      // Refers to the memory, since koffi does not, and nothing else may.
      call.fill(0);
      if (error) reject(error);
      else resolve(failed);
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
