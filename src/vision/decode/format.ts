import { ServiceError } from '../../errors.ts';

/** The image formats that are decoded. All others are refused, whatever the file name or Content-Type says. */
export const IMAGE_FORMATS = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif', 'bmp', 'jp2', 'heic'] as const;

export type ImageFormat = (typeof IMAGE_FORMATS)[number];

export const startsWith = (bytes: Uint8Array, signature: readonly number[], offset = 0) =>
  signature.every((byte, index) => bytes[offset + index] === byte);

export const ascii = (text: string) => [...text].map((character) => character.charCodeAt(0));

/** In either byte order; 43 is BigTIFF. */
const TIFF_SIGNATURES = [
  [...ascii('II'), 42, 0],
  [...ascii('MM'), 0, 42],
  [...ascii('II'), 43, 0],
  [...ascii('MM'), 0, 43],
];
/** Bytes of a bitmap's header. "BM" alone is too little to tell a format. */
const BMP_HEADERS = [12, 40, 52, 56, 64, 108, 124];

/** A file (ISO/IEC 15444-1, I.5.1), and a bare codestream. */
const JPEG_2000_SIGNATURES = [
  [0, 0, 0, 12, ...ascii('jP  '), 0x0d, 0x0a, 0x87, 0x0a],
  [0xff, 0x4f, 0xff, 0x51],
];

const AVIF_BRANDS = ['avif', 'avis'].map(ascii);
const HEIC_BRANDS = ['heic', 'heix', 'heim', 'heis'].map(ascii);

/** Looks for brands in the first box of an ISO media file: the major brand at 8, compatible brands from 16 on. */
function hasBrand(bytes: Uint8Array, brands: number[][]): boolean {
  if (!startsWith(bytes, ascii('ftyp'), 4)) return false;
  const boxSize = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
  const end = Math.min(boxSize, bytes.length, 256);
  for (let offset = 8; offset + 4 <= end; offset += 4) {
    if (offset !== 12 && brands.some((brand) => startsWith(bytes, brand, offset))) return true;
  }
  return false;
}

/**
 * Recognises the format by the first bytes only.
 *
 * @throws {ServiceError} INVALID_IMAGE for no bytes, UNSUPPORTED_FORMAT for any other format.
 */
export function sniffImageFormat(bytes: Uint8Array): ImageFormat {
  if (bytes.length === 0) throw new ServiceError('INVALID_IMAGE', { detail: 'The image is empty.' });
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) return 'jpeg';
  if (startsWith(bytes, [0x89, ...ascii('PNG\r\n'), 0x1a, 0x0a])) return 'png';
  if (startsWith(bytes, ascii('RIFF')) && startsWith(bytes, ascii('WEBP'), 8)) return 'webp';
  if (startsWith(bytes, ascii('GIF8'))) return 'gif';
  if (TIFF_SIGNATURES.some((signature) => startsWith(bytes, signature))) return 'tiff';
  if (startsWith(bytes, ascii('BM')) && BMP_HEADERS.includes(bytes[14] ?? 0)) return 'bmp';
  if (hasBrand(bytes, AVIF_BRANDS)) return 'avif';
  if (hasBrand(bytes, HEIC_BRANDS)) return 'heic';
  if (JPEG_2000_SIGNATURES.some((signature) => startsWith(bytes, signature))) return 'jp2';
  throw new ServiceError('UNSUPPORTED_FORMAT', { detail: `Supported are ${IMAGE_FORMATS.join(', ')}.` });
}
