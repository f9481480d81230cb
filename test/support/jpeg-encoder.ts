import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import koffi from 'koffi';

/*
 * Writes JPEGs that sharp cannot: every subsampling of chroma, and restart intervals. It calls the library of the package
 * through turbojpeg.h of version 3.
 */

const require = createRequire(import.meta.url);
const folder = dirname(require.resolve('@julusian/jpeg-turbo/package.json'));
const file = join(folder, 'prebuilds', `jpeg-turbo-linux-${process.arch}`, 'libturbojpeg.so.0');

/** TJSAMP: how much chroma is reduced. */
export const SUBSAMPLINGS = {
  '4:4:4': 0,
  '4:2:2': 1,
  '4:2:0': 2,
  grey: 3,
  '4:4:0': 4,
  '4:1:1': 5,
  '4:4:1': 6,
};
/** TJPARAM. */
const PARAMETER = {
  noReallocation: 2,
  quality: 3,
  subsampling: 4,
  optimise: 11,
  progressive: 12,
  restartBlocks: 18,
};
const TJINIT_COMPRESS = 0;
const TJPF_RGB = 0;

export interface JpegOptions {
  subsampling: keyof typeof SUBSAMPLINGS;
  quality?: number;
  progressive?: boolean;
  /** Blocks from one restart marker to the next; 0 for none. */
  restartBlocks?: number;
}

/** @param pixels RGB. */
export function encodeJpeg(
  { data, width, height }: { data: Uint8Array; width: number; height: number },
  { subsampling, quality = 90, progressive = false, restartBlocks = 0 }: JpegOptions,
): Uint8Array<ArrayBuffer> {
  const library = koffi.load(file);
  const set = library.func('int tj3Set(void *handle, int parameter, int value)');
  const handle = library.func('void *tj3Init(int type)')(TJINIT_COMPRESS);
  const values: [number, number][] = [
    [PARAMETER.noReallocation, 1],
    [PARAMETER.quality, quality],
    [PARAMETER.subsampling, SUBSAMPLINGS[subsampling]],
    [PARAMETER.progressive, Number(progressive)],
    [PARAMETER.restartBlocks, restartBlocks],
  ];
  for (const [parameter, value] of values) {
    if (set(handle, parameter, value) !== 0) throw new Error(`libjpeg-turbo refuses parameter ${parameter}.`);
  }
  const room = Buffer.alloc(20_000 + 12 * width * height);
  const address = BigUint64Array.of(koffi.address(room));
  const length = BigUint64Array.of(BigInt(room.length));
  const compress = library.func('tj3Compress8', 'int', [
    ...['void *', 'void *', 'int', 'int', 'int', 'int', 'void *', 'void *'],
  ]);
  const failed = compress(handle, data, width, 0, height, TJPF_RGB, address, length);
  library.func('void tj3Destroy(void *handle)')(handle);
  if (failed !== 0) throw new Error('libjpeg-turbo does not encode the picture.');
  return new Uint8Array(room.subarray(0, Number(length[0])));
}
