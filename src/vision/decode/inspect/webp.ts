import { ByteReader } from './byte-reader.ts';
import { inspectExif } from './exif.ts';
import { inspectProfile } from './icc.ts';
import { MAX_FRAMES, PieceCounter, refuse, type Size } from './limits.ts';

/** "RIFF", size, "WEBP". */
const HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;

export function inspectWebp(bytes: Uint8Array): Size | undefined {
  const file = new ByteReader(bytes, true);
  const pieces = new PieceCounter();
  const end = Math.min(file.u32(4) + CHUNK_HEADER_BYTES, file.length);
  let size: Size | undefined;
  let frames = 0;
  let at = HEADER_BYTES;
  while (at + CHUNK_HEADER_BYTES <= end) {
    const name = file.name(at);
    const length = file.u32(at + 4);
    const content = file.slice(at + CHUNK_HEADER_BYTES, length);
    at += CHUNK_HEADER_BYTES + length + (length % 2);
    pieces.add(length);
    switch (name) {
      case 'VP8X':
      case 'VP8 ':
      case 'VP8L':
        size ??= SIZES[name](new ByteReader(content, true));
        break;
      case 'ANMF':
        frames++;
        if (frames > MAX_FRAMES) refuse(`More than ${MAX_FRAMES} frames.`);
        break;
      case 'EXIF':
        inspectExif(content);
        break;
      case 'ICCP':
        inspectProfile(content);
        break;
    }
  }
  return size;
}

const SIDE_BITS = 0x3fff;

const SIZES = {
  /** Flags; the sides of the canvas less 1. */
  VP8X: (chunk: ByteReader): Size => ({ width: chunk.u24(4) + 1, height: chunk.u24(7) + 1 }),
  /** Frame tag and start code; the sides, each with two bits of scaling (RFC 6386, 9.1). */
  'VP8 ': (chunk: ByteReader): Size => ({
    width: chunk.u16(6) & SIDE_BITS,
    height: chunk.u16(8) & SIDE_BITS,
  }),
  /** Signature; the sides less 1 in 14 bits each. */
  VP8L: (chunk: ByteReader): Size => ({
    width: (chunk.u32(1) & SIDE_BITS) + 1,
    height: ((chunk.u32(1) >>> 14) & SIDE_BITS) + 1,
  }),
};
