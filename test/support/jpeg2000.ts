import { createRequire } from 'node:module';
import { box } from './hostile/avif.ts';

interface Encoder {
  getDecodedBuffer(frame: {
    width: number;
    height: number;
    bitsPerSample: number;
    componentCount: number;
    isSigned: boolean;
  }): Uint8Array;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
}

const require = createRequire(import.meta.url);

/** A lossless codestream of OpenJPEG. @param levels of 8 bits, or of 16 in little-endian order. */
export async function encodeJpeg2000(
  levels: Uint8Array,
  width: number,
  height: number,
  componentCount: number,
  bitsPerSample = 8,
): Promise<Buffer> {
  const create: (
    options: object,
  ) => Promise<{ J2KEncoder: new () => Encoder }> = require('@cornerstonejs/codec-openjpeg/wasmjs');
  const { J2KEncoder } = await create({ print: () => {}, printErr: () => {} });
  const encoder = new J2KEncoder();
  encoder.getDecodedBuffer({ width, height, bitsPerSample, componentCount, isSigned: false }).set(levels);
  encoder.encode();
  return Buffer.from(encoder.getEncodedBuffer());
}

/**
 * A file around a codestream (ISO/IEC 15444-1, annex I).
 *
 * @param colourSpace 16 sRGB, 17 grey, 18 YCbCr.
 * @param others more boxes of its header.
 */
export function jp2(codestream: Buffer, colourSpace = 16, ...others: Uint8Array[]): Buffer {
  const width = codestream.readUInt32BE(8);
  const height = codestream.readUInt32BE(12);
  const header = Buffer.alloc(14);
  header.writeUInt32BE(height, 0);
  header.writeUInt32BE(width, 4);
  header.writeUInt16BE(codestream.readUInt16BE(40), 8);
  header.set([7, 7, 0, 0], 10);
  return Buffer.concat([
    box('jP  ', Buffer.from([0x0d, 0x0a, 0x87, 0x0a])),
    box('ftyp', Buffer.from('jp2 \0\0\0\0jp2 ', 'latin1')),
    box('jp2h', box('ihdr', header), box('colr', Buffer.from([1, 0, 0, 0, 0, 0, colourSpace])), ...others),
    box('jp2c', codestream),
  ]);
}
