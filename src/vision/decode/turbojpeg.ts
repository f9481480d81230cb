import { createRequire } from 'node:module';
import path from 'node:path';
import type { KoffiFunc, LibraryHandle } from 'koffi';

/*
 * libjpeg-turbo's TurboJPEG API (turbojpeg.h of version 2.0 or later), called in the library itself. The binding of the package
 * that brings the library is not used: it decodes with an inaccurate DCT.
 */

type Pointer = bigint | null;

/** An address, or numbers that the library reads or writes in place. */
type Memory = Uint8Array | Int32Array;

export interface TurboJpeg {
  /** @returns null for want of memory. */
  createDecoder: () => Pointer;
  /** Also frees whatever the decoder read. */
  destroyDecoder: (decoder: Pointer) => number;
  /** Writes width, height, subsampling and colour space. @returns 0, or -1 for an error or a warning. */
  readHeader: (
    decoder: Pointer,
    jpeg: Uint8Array,
    length: number,
    width: Memory,
    height: Memory,
    subsampling: Memory,
    colourSpace: Memory,
  ) => number;
  /** @returns 0, or -1 for an error or a warning. Its `async` runs on libuv's pool and keeps nothing that it is given. */
  decode: KoffiFunc<
    (
      decoder: Pointer,
      jpeg: Uint8Array,
      length: number,
      pixels: Uint8Array,
      width: number,
      pitch: number,
      height: number,
      pixelFormat: number,
      flags: number,
    ) => number
  >;
  /** Decoding some rows only; undefined in a library before version 3. */
  rows: RowDecoding | undefined;
  /** After a decoder returned -1: 0 for a warning, after which the picture is complete, 1 for an error. */
  errorCode: (decoder: Pointer) => number;
  /** Tells the system how memory will be used (madvise(2)); undefined where the system has no such function. */
  advise: ((address: bigint, length: number, advice: number) => number) | undefined;
  addressOf: (memory: Uint8Array) => bigint;
}

/** Its decoders are those of {@link TurboJpeg.createDecoder}, after `readHeader`. */
export interface RowDecoding {
  stopOnWarning: (decoder: Pointer) => number;
  /** @returns 0, or -1 for an error. */
  select: (decoder: Pointer, firstRow: number, rows: number) => number;
  /** As `decode` above, at the size of the file. Rows after the selected ones are not read. */
  decode: KoffiFunc<
    (
      decoder: Pointer,
      jpeg: Uint8Array,
      length: number,
      pixels: Uint8Array,
      pitch: number,
      pixelFormat: number,
    ) => number
  >;
}

/** Of the package, whose name has the platform; then the system's, as a distribution or Homebrew installs it. */
function libraryFiles(): string[] {
  const { platform, arch } = process;
  if (platform === 'darwin') {
    return ['/opt/homebrew/lib/libturbojpeg.dylib', '/usr/local/lib/libturbojpeg.dylib'];
  }
  if (platform !== 'linux') return [];
  return [
    ...['', '-musl'].map((libc) => packaged(`jpeg-turbo-linux-${arch}${libc}/libturbojpeg.so.0`)),
    'libturbojpeg.so.0',
  ].filter((file) => file !== undefined);
}

const require = createRequire(import.meta.url);

function packaged(file: string): string | undefined {
  try {
    const root = path.dirname(require.resolve('@julusian/jpeg-turbo/package.json'));
    return path.join(root, 'prebuilds', file);
  } catch {
    return undefined;
  }
}

let library: TurboJpeg | undefined;
let tried = false;

/**
 * The library, loaded once for each thread.
 *
 * @returns undefined if the machine has none, or none that can be loaded.
 */
export function turboJpeg(): TurboJpeg | undefined {
  if (tried) return library;
  tried = true;
  for (const file of libraryFiles()) {
    try {
      library = load(file);
      break;
    } catch {
      // Not there, or for another C library.
    }
  }
  return library;
}

function load(file: string): TurboJpeg {
  // Not imported: its binary is missing on rare platforms.
  const koffi: typeof import('koffi') = require('koffi');
  const turbo = koffi.load(file);
  const pointers = (count: number) => Array.from({ length: count }, () => 'void *');
  const decodeTypes = ['void *', 'void *', 'unsigned long', 'void *', 'int', 'int', 'int', 'int', 'int'];
  return {
    createDecoder: turbo.func('tjInitDecompress', 'void *', []) as TurboJpeg['createDecoder'],
    destroyDecoder: turbo.func('tjDestroy', 'int', ['void *']) as TurboJpeg['destroyDecoder'],
    readHeader: turbo.func('tjDecompressHeader3', 'int', [
      'void *',
      'void *',
      'unsigned long',
      ...pointers(4),
    ]) as TurboJpeg['readHeader'],
    decode: turbo.func('tjDecompress2', 'int', decodeTypes) as TurboJpeg['decode'],
    rows: rowDecoding(koffi, turbo),
    errorCode: turbo.func('tjGetErrorCode', 'int', ['void *']) as TurboJpeg['errorCode'],
    advise: madvise(() => koffi.load(null)),
    addressOf: (memory) => koffi.address(memory),
  };
}

/** TJPARAM_STOPONWARNING of turbojpeg.h. */
const STOP_ON_WARNING_PARAMETER = 0;

function rowDecoding(koffi: typeof import('koffi'), turbo: LibraryHandle): RowDecoding | undefined {
  try {
    const region = koffi.struct({ x: 'int', y: 'int', w: 'int', h: 'int' });
    const set = turbo.func('tj3Set', 'int', ['void *', 'int', 'int']);
    const select = turbo.func('tj3SetCroppingRegion', 'int', ['void *', region]);
    const decodeTypes = ['void *', 'void *', 'size_t', 'void *', 'int', 'int'];
    return {
      stopOnWarning: (decoder) => set(decoder, STOP_ON_WARNING_PARAMETER, 1),
      // A width of 0 is that of the picture.
      select: (decoder, y, h) => select(decoder, { x: 0, y, w: 0, h }),
      decode: turbo.func('tj3Decompress8', 'int', decodeTypes) as RowDecoding['decode'],
    };
  } catch {
    return undefined;
  }
}

/** Only Linux has huge pages on request. */
function madvise(openProcess: () => LibraryHandle): TurboJpeg['advise'] {
  if (process.platform !== 'linux') return undefined;
  try {
    return openProcess().func('madvise', 'int', ['void *', 'size_t', 'int']) as TurboJpeg['advise'];
  } catch {
    return undefined;
  }
}
