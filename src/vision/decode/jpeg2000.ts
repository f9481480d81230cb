import { createRequire } from 'node:module';
import { ServiceError } from '../../errors.ts';
import type { Pixels } from '../picture.ts';
import { BrokenImageError } from './broken-image.ts';
import { ownInstance } from './web-assembly.ts';

const require = createRequire(import.meta.url);
const PACKAGE = '@cornerstonejs/codec-openjpeg';

/** OpenJPEG compiled to WebAssembly; the package has no types for this entry. */
interface Decoder {
  /** @returns a view of WebAssembly's memory, to which the caller writes the encoded bytes. */
  getEncodedBuffer(length: number): Uint8Array;
  /** @throws for a damaged picture, whatever WebAssembly throws. */
  decode(): void;
  getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number };
  /** OPJ_COLOR_SPACE. */
  getColorSpace(): number;
  /** @returns a view of one or two bytes for each channel of each pixel. */
  getDecodedBuffer(): Uint8Array;
}

type CreateModule = (options: ReturnType<typeof ownInstance>) => Promise<{ J2KDecoder: new () => Decoder }>;

/** OPJ_CLRSPC_SYCC, _EYCC and _CMYK. */
const OTHER_COLOUR_SPACES = [3, 4, 5];

/**
 * Decodes JPEG 2000, a file (JP2) or a bare codestream, as passports have it. Of more than 8 bits, the highest 8 are taken.
 *
 * @param bytes a file whose size and channels have been checked.
 * @throws {ServiceError} INVALID_IMAGE.
 */
export async function decodeJpeg2000(bytes: Uint8Array): Promise<Pixels> {
  const decoder = await createDecoder();
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
  } catch {
    throw new BrokenImageError();
  }
  const { width, height, bitsPerSample, componentCount } = decoder.getFrameInfo();
  const decoded = decoder.getDecodedBuffer();
  const wide = bitsPerSample > 8;
  if (decoded.length !== width * height * componentCount * (wide ? 2 : 1)) {
    throw new BrokenImageError();
  }
  if (OTHER_COLOUR_SPACES.includes(decoder.getColorSpace())) {
    throw new ServiceError('INVALID_IMAGE', { detail: 'JPEG 2000 is supported in RGB and grey only.' });
  }
  const levels = wide ? new Uint16Array(decoded.buffer, decoded.byteOffset, decoded.length / 2) : decoded;
  const data = new Uint8Array(3 * width * height);
  const colours = componentCount >= 3 ? [0, 1, 2] : [0, 0, 0];
  const [red, green, blue] = colours as [number, number, number];
  const toByte = (level: number) => (wide ? level >> (bitsPerSample - 8) : level << (8 - bitsPerSample));
  for (let from = 0, to = 0; to < data.length; from += componentCount, to += 3) {
    data[to] = toByte(levels[from + red] as number);
    data[to + 1] = toByte(levels[from + green] as number);
    data[to + 2] = toByte(levels[from + blue] as number);
  }
  return { data, width, height };
}

async function createDecoder(): Promise<Decoder> {
  const create: CreateModule = require(`${PACKAGE}/decodewasmjs`);
  const { J2KDecoder } = await create(ownInstance(require.resolve(`${PACKAGE}/decodewasm`)));
  return new J2KDecoder();
}
