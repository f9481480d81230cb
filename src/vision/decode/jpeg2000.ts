import { createRequire } from 'node:module';
import type { Pixels } from '../picture.ts';
import { BrokenImageError } from './broken-image.ts';
import { findCodestream } from './inspect/jpeg2000.ts';
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
  /** @returns a view of one or two bytes for each channel of each pixel. */
  getDecodedBuffer(): Uint8Array;
}

type CreateModule = (options: ReturnType<typeof ownInstance>) => Promise<{ J2KDecoder: new () => Decoder }>;

/**
 * Decodes JPEG 2000, a file (JP2) or a bare codestream, as passports have it. Of more than 8 bits, the highest 8 are taken.
 *
 * @param file one whose headers have been checked.
 * @throws {ServiceError} INVALID_IMAGE.
 */
export async function decodeJpeg2000(file: Uint8Array): Promise<Pixels> {
  // The library does not see what is around the codestream, a palette for example, so it need not be checked how it reads that.
  const { bytes, width, height } = findCodestream(file);
  const decoder = await createDecoder();
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
  } catch {
    throw new BrokenImageError();
  }
  const frame = decoder.getFrameInfo();
  const { bitsPerSample, componentCount } = frame;
  const decoded = decoder.getDecodedBuffer();
  const wide = bitsPerSample > 8;
  // Of some damage, the library only writes a message.
  const complete = decoded.length === width * height * componentCount * (wide ? 2 : 1);
  if (!complete || frame.width !== width || frame.height !== height) throw new BrokenImageError();
  const levels = wide ? new Uint16Array(decoded.buffer, decoded.byteOffset, decoded.length / 2) : decoded;
  const data = new Uint8Array(3 * width * height);
  const colours = componentCount >= 3 ? [0, 1, 2] : [0, 0, 0];
  const [red, green, blue] = colours as [number, number, number];
  const toByte = (level: number) => level >> (bitsPerSample - 8);
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
