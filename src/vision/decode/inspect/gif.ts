import { ByteReader } from './byte-reader.ts';
import { MAX_FRAMES, refuse, type Size } from './limits.ts';

const BLOCK = { extension: 0x21, image: 0x2c };
const HEADER_BYTES = 13;
const IMAGE_BYTES = 10;
/** libnsgif takes a longer side of the screen, and some usual sizes, for a mistake: the picture is then as large as its frames. */
const MAX_SCREEN_SIDE = 2048;

export function inspectGif(bytes: Uint8Array): Size {
  const file = new ByteReader(bytes, true);
  const screen = { width: file.u16(6), height: file.u16(8) };
  const union = { width: 0, height: 0 };
  let frames = 0;
  let at = HEADER_BYTES + tableBytes(file.u8(10));
  while (file.has(at, 1)) {
    const block = file.u8(at);
    if (block === BLOCK.extension) {
      at = afterSubBlocks(file, at + 2);
    } else if (block === BLOCK.image) {
      frames++;
      if (frames > MAX_FRAMES) refuse(`More than ${MAX_FRAMES} frames.`);
      union.width = Math.max(union.width, file.u16(at + 1) + file.u16(at + 5));
      union.height = Math.max(union.height, file.u16(at + 3) + file.u16(at + 7));
      // After the colours, a byte says how many bits the first code has.
      at = afterSubBlocks(file, at + IMAGE_BYTES + tableBytes(file.u8(at + 9)) + 1);
    } else {
      break;
    }
  }
  if (Math.max(screen.width, screen.height) > MAX_SCREEN_SIDE) return union;
  return { width: Math.max(screen.width, union.width), height: Math.max(screen.height, union.height) };
}

/** Bytes of the table of colours that follows. */
const tableBytes = (flags: number) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);

function afterSubBlocks(file: ByteReader, from: number): number {
  let at = from;
  while (file.u8(at) > 0) at += 1 + file.u8(at);
  return at + 1;
}
