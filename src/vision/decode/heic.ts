import { createRequire } from 'node:module';
import { ServiceError } from '../../errors.ts';
import type { Pixels } from '../picture.ts';
import { BrokenImageError } from './broken-image.ts';
import { ownInstance } from './web-assembly.ts';

const require = createRequire(import.meta.url);

/** A member of an enumeration, or a handle. */
type Value = object;

/**
 * libheif with a decoder of HEVC, compiled to WebAssembly. Of the package, the functions of C are called: its classes write what
 * is wrong with a file to the console.
 */
interface LibHeif {
  heif_error_code: { heif_error_Ok: Value };
  heif_colorspace: { heif_colorspace_RGB: Value };
  heif_chroma: { heif_chroma_interleaved_RGB: Value };
  heif_context_alloc(): Value;
  heif_context_read_from_memory(context: Value, bytes: Uint8Array): { code: Value };
  /** @returns a handle, or an object with a `code`. */
  heif_js_context_get_primary_image_handle(context: Value): Value & { code?: Value };
  /** @returns planes of rows that are `stride` bytes apart, or an object with a `code`. */
  heif_js_decode_image2(
    handle: Value,
    colourSpace: Value,
    chroma: Value,
  ): Promise<{ channels?: { width: number; height: number; stride: number; data: Uint8Array }[] }>;
}

type CreateLibrary = (options: ReturnType<typeof ownInstance>) => LibHeif;

const PACKAGE = 'libheif-js/libheif-wasm';

/** @throws {ServiceError} UNSUPPORTED_FORMAT where HEIC cannot be decoded, before the file is looked at. */
export const assertHeicDecoder = (): void => void findLibrary();

/**
 * Finds the optional package. It is not a dependency: HEVC is patented, and the package is under the LGPL.
 *
 * @throws {ServiceError} UNSUPPORTED_FORMAT without it.
 */
function findLibrary(): { create: CreateLibrary; code: string } {
  try {
    return { create: require(`${PACKAGE}/libheif.js`), code: require.resolve(`${PACKAGE}/libheif.wasm`) };
  } catch {
    throw new ServiceError('UNSUPPORTED_FORMAT', {
      detail:
        'HEIC is decoded where the npm package libheif-js is installed beside the service (npm install libheif-js). Without ' +
        'it, send a JPEG.',
    });
  }
}

/**
 * Decodes the primary picture of a HEIC file: upright, and without alpha.
 *
 * @param bytes a file whose items have been checked.
 * @throws {ServiceError} UNSUPPORTED_FORMAT without the optional package, or INVALID_IMAGE.
 */
export async function decodeHeic(bytes: Uint8Array, maxPixels: number): Promise<Pixels> {
  const { create, code } = findLibrary();
  const heif = create(ownInstance(code));
  let plane: { width: number; height: number; stride: number; data: Uint8Array } | undefined;
  try {
    const context = heif.heif_context_alloc();
    const read = heif.heif_context_read_from_memory(context, bytes);
    if (read.code !== heif.heif_error_code.heif_error_Ok) throw new BrokenImageError();
    const handle = heif.heif_js_context_get_primary_image_handle(context);
    const { heif_colorspace_RGB } = heif.heif_colorspace;
    const { heif_chroma_interleaved_RGB } = heif.heif_chroma;
    const image = await heif.heif_js_decode_image2(handle, heif_colorspace_RGB, heif_chroma_interleaved_RGB);
    plane = image.channels?.[0];
  } catch {
    throw new BrokenImageError();
  }
  if (plane === undefined || plane.width * plane.height > maxPixels) throw new BrokenImageError();
  const { width, height, stride } = plane;
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    data.set(plane.data.subarray(y * stride, y * stride + 3 * width), 3 * y * width);
  }
  return { data, width, height };
}
