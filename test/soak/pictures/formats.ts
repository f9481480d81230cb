import { crc32 } from 'node:zlib';
import { ascii, join, u16be, u16le, u32be, u32le } from './bytes.ts';

export const FORMATS = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const;
export type Format = (typeof FORMATS)[number];

/**
 * A file as the blocks of its format. `build` writes lengths and checksums anew, so that a changed file reaches the code behind
 * the first check. Files that do not follow their format give one block for what is left.
 */
export interface Blocks {
  blocks: Buffer[];
  build: (blocks: readonly Buffer[]) => Buffer;
}

export const SPLIT: Record<Format, (file: Buffer) => Blocks> = {
  jpeg: splitJpeg,
  png: splitPng,
  webp: splitWebp,
  gif: splitGif,
  tiff: splitTiff,
  avif: splitAvif,
};

/** Blocks are a type and data. Source: PNG, 5.3. */
function splitPng(file: Buffer): Blocks {
  const blocks: Buffer[] = [];
  let at = 8;
  while (at + 12 <= file.length) {
    const length = Math.min(file.readUInt32BE(at), file.length - at - 12);
    blocks.push(file.subarray(at + 4, at + 8 + length));
    at += 12 + length;
  }
  return {
    blocks,
    build: (all) =>
      join(
        file.subarray(0, 8),
        ...all.flatMap((block) => [u32be(Math.max(0, block.length - 4)), block, u32be(crc32(block))]),
      ),
  };
}

export const pngChunk = (type: string, data: Uint8Array): Buffer => {
  const block = join(ascii(type), data);
  return join(u32be(data.length), block, u32be(crc32(block)));
};

/** Blocks are a marker and its data without the length, or entropy-coded data. Source: ITU-T T.81, annex B. */
function splitJpeg(file: Buffer): Blocks {
  const blocks: Buffer[] = [];
  let at = 0;
  while (at + 2 <= file.length) {
    const marker = file[at + 1] as number;
    if (file[at] !== 0xff || marker === 0 || isStandalone(marker)) {
      const end = endOfScan(file, at + (isStandalone(marker) ? 2 : 1));
      blocks.push(file.subarray(at, end));
      at = end;
      continue;
    }
    const length = at + 4 <= file.length ? Math.max(2, file.readUInt16BE(at + 2)) : 2;
    blocks.push(join(file.subarray(at, at + 2), file.subarray(at + 4, at + 2 + length)));
    at += 2 + length;
  }
  return { blocks, build: (all) => Buffer.concat(all.map(withLength)) };
}

const isStandalone = (marker: number) => marker >= 0xd0 && marker <= 0xd9;

/** Entropy-coded data ends at a marker other than a restart. */
function endOfScan(file: Buffer, from: number): number {
  for (
    let at = file.indexOf(0xff, from);
    at !== -1 && at + 1 < file.length;
    at = file.indexOf(0xff, at + 1)
  ) {
    const next = file[at + 1] as number;
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  return file.length;
}

function withLength(block: Buffer): Buffer {
  const marker = block[1];
  if (block[0] !== 0xff || marker === undefined || marker === 0 || isStandalone(marker)) return block;
  return join(block.subarray(0, 2), u16be(Math.min(0xffff, block.length)), block.subarray(2));
}

/** Blocks are a type and data. Source: RFC 9649, 2.3. */
function splitWebp(file: Buffer): Blocks {
  const blocks: Buffer[] = [];
  let at = 12;
  while (at + 8 <= file.length) {
    const length = Math.min(file.readUInt32LE(at + 4), file.length - at - 8);
    blocks.push(join(file.subarray(at, at + 4), file.subarray(at + 8, at + 8 + length)));
    at += 8 + length + (length % 2);
  }
  return { blocks, build: webpFileOf };
}

/** @param chunks a type of four characters and data each. */
export const webpFile = (...chunks: Uint8Array[]): Buffer => webpFileOf(chunks);

/** Of any number of chunks: more than a call may have arguments. */
function webpFileOf(chunks: readonly Uint8Array[]): Buffer {
  const padded = chunks.flatMap((chunk) => {
    const length = Math.max(0, chunk.length - 4);
    return [chunk.subarray(0, 4), u32le(length), chunk.subarray(4), Buffer.alloc(length % 2)];
  });
  const body = Buffer.concat([ascii('WEBP'), ...padded]);
  return join(ascii('RIFF'), u32le(body.length), body);
}

/** Blocks are the head with its colours, extensions, and frames. Source: GIF89a. */
function splitGif(file: Buffer): Blocks {
  const table = (flags: number) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  const blocks: Buffer[] = [];
  let start = 13 + table(file[10] ?? 0);
  blocks.push(file.subarray(0, start));
  while (start < file.length) {
    const kind = file[start];
    let at = start + 2;
    if (kind === 0x2c) at = start + 11 + table(file[start + 9] ?? 0);
    else if (kind !== 0x21) at = file.length;
    while (at < file.length && file[at] !== 0) at += 1 + (file[at] as number);
    blocks.push(file.subarray(start, at + 1));
    start = at + 1;
  }
  return { blocks, build: (all) => Buffer.concat(all) };
}

/** Blocks are the entries of the first directory; what they point to stays in place. Source: TIFF 6.0, section 2. */
function splitTiff(file: Buffer): Blocks {
  const big = file[0] === 0x4d;
  const [u16, u32] = big ? [u16be, u32be] : [u16le, u32le];
  const read16 = (at: number) => (big ? file.readUInt16BE(at) : file.readUInt16LE(at));
  const read32 = (at: number) => (big ? file.readUInt32BE(at) : file.readUInt32LE(at));
  const start = file.length >= 8 ? read32(4) : 0;
  if (start === 0 || start + 2 > file.length) return { blocks: [file], build: (all) => Buffer.concat(all) };
  const count = Math.min(read16(start), Math.floor((file.length - start - 2) / 12));
  const blocks = Array.from({ length: count }, (_, i) =>
    file.subarray(start + 2 + 12 * i, start + 14 + 12 * i),
  );
  return {
    blocks,
    build: (all) =>
      Buffer.concat([
        file.subarray(0, 4),
        u32(file.length),
        file.subarray(8),
        u16(all.length % 65_536),
        ...all,
        u32(0),
      ]),
  };
}

/** Boxes that contain boxes, and the bytes before these. Source: ISO/IEC 14496-12 and 23008-12. */
const CONTAINERS: Record<string, number> = { meta: 4, iprp: 0, ipco: 0, iinf: 6, moov: 0, trak: 0, mdia: 0 };

/** Blocks are a type and data, flat: a container is a block whose own boxes follow. */
function splitAvif(file: Buffer): Blocks {
  const blocks: Buffer[] = [];
  const parents: (number | undefined)[] = [];
  const walk = (from: number, to: number, parent: number | undefined) => {
    let at = from;
    while (at + 8 <= to) {
      const size = Math.min(to - at, Math.max(8, file.readUInt32BE(at)));
      const own = CONTAINERS[file.toString('latin1', at + 4, at + 8)];
      const index = blocks.length;
      parents.push(parent);
      blocks.push(file.subarray(at + 4, own === undefined ? at + size : at + 8 + own));
      if (own !== undefined) walk(at + 8 + own, at + size, index);
      at += size;
    }
  };
  walk(0, file.length, undefined);
  return { blocks, build: (all) => buildBoxes(all, parents) };
}

/** Each block goes into the container that its place had in the file. */
function buildBoxes(all: readonly Buffer[], parents: readonly (number | undefined)[]): Buffer {
  const children = all.map((): number[] => []);
  const top: number[] = [];
  for (const index of all.keys()) {
    const parent = parents[index];
    (parent === undefined || parent >= index ? top : (children[parent] ?? top)).push(index);
  }
  const write = (index: number): Buffer => {
    const content = Buffer.concat([all[index] as Buffer, ...(children[index] as number[]).map(write)]);
    return join(u32be(content.length + 4), content);
  };
  return Buffer.concat(top.map(write));
}
