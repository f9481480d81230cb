import { ByteReader } from './byte-reader.ts';
import { refuse } from './limits.ts';

/** Boxes of an ISO media file (ISO/IEC 14496-12, 4.2): a length, a name, and contents, which may be boxes. */
export interface Box {
  name: string;
  /** Where the contents begin and end. */
  from: number;
  to: number;
}

/** Boxes side by side. libheif reads all of them; AVIF needs about ten at a time, and one for each property. */
const MAX_BOXES = 2000;

/** @returns the boxes between two places; what is left is damaged. */
export function boxesIn(file: ByteReader, from: number, to: number): Box[] {
  const boxes: Box[] = [];
  let at = from;
  while (at + 8 <= to) {
    let length = file.u32(at);
    let header = 8;
    // 0: to the end; 1: the length follows in 64 bits.
    if (length === 0) {
      length = to - at;
    } else if (length === 1) {
      length = file.u64(at + 8);
      header = 16;
    }
    if (length < header) break;
    boxes.push({ name: file.name(at + 4), from: at + header, to: Math.min(at + length, to) });
    if (boxes.length > MAX_BOXES) refuse(`More than ${MAX_BOXES} boxes.`);
    at += length;
  }
  return boxes;
}

/** A box that may be there once only: readers differ on which of two they take. */
export function onlyBox(boxes: Box[], name: string): Box | undefined {
  const found = boxes.filter((box) => box.name === name);
  if (found.length > 1) refuse('The same box twice.');
  return found[0];
}

/** Contents after the version and the flags. */
export const fullBox = (file: ByteReader, box: Box) => ({ version: file.u8(box.from), at: box.from + 4 });

/** The contents of a box for itself. */
export const contentOf = (file: ByteReader, box: Box) =>
  new ByteReader(file.slice(box.from, box.to - box.from));
