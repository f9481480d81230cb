import { type Format, SPLIT } from './formats.ts';

export type Random = () => number;

export const below = (random: Random, limit: number) => Math.floor(random() * limit);
export const oneOf = <T>(random: Random, values: readonly T[]): T =>
  values[below(random, values.length)] as T;

/** Numbers at which sizes, counts and signs change. */
const EXTREMES = [
  0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
];
/** A change does not make a file longer than this; what large files do is a matter of the worst cases. */
const MAX_BYTES = 300_000;

export type Change = (random: Random, file: Buffer) => Buffer;

/** Half of all places are among the first bytes, where formats keep their sizes. */
const place = (random: Random, file: Buffer) =>
  below(random, random() < 0.5 ? Math.min(file.length, 200) : Math.max(1, file.length));

/** A part of the file; short ones are more likely. */
function range(random: Random, file: Buffer): [start: number, end: number] {
  const start = place(random, file);
  return [start, Math.min(file.length, start + Math.ceil((file.length - start) * random() ** 4))];
}

const flipBits: Change = (random, file) => {
  const changed = Buffer.from(file);
  for (let left = 1 + below(random, 16); left > 0 && changed.length > 0; left--) {
    const at = place(random, changed);
    changed[at] = (changed[at] as number) ^ (1 << below(random, 8));
  }
  return changed;
};

const writeExtreme: Change = (random, file) => {
  const bytes = oneOf(random, [1, 2, 4]);
  if (file.length < bytes) return file;
  const changed = Buffer.from(file);
  const at = Math.min(place(random, file), file.length - bytes);
  const value = oneOf(random, EXTREMES) % 2 ** (8 * bytes);
  if (random() < 0.5) changed.writeUIntBE(value, at, bytes);
  else changed.writeUIntLE(value, at, bytes);
  return changed;
};

const cut: Change = (random, file) => file.subarray(0, below(random, file.length));

const remove: Change = (random, file) => {
  const [start, end] = range(random, file);
  return Buffer.concat([file.subarray(0, start), file.subarray(end)]);
};

const repeatPart: Change = (random, file) => {
  const [start, end] = range(random, file);
  const part = file.subarray(start, end);
  const times = Math.min(1 + below(random, 200), Math.floor(MAX_BYTES / (part.length || 1)));
  return Buffer.concat([
    file.subarray(0, end),
    ...Array.from({ length: times }, () => part),
    file.subarray(end),
  ]);
};

const overwrite: Change = (random, file) => {
  const [start, end] = range(random, file);
  const changed = Buffer.from(file);
  if (random() < 0.5) changed.fill(oneOf(random, [0, 0xff, 0x20]), start, end);
  else for (let at = start; at < end; at++) changed[at] = below(random, 256);
  return changed;
};

/** Changes of bytes, whatever they mean. */
export const CHANGES = [flipBits, flipBits, writeExtreme, writeExtreme, cut, remove, repeatPart, overwrite];

/** Changes the blocks of the format, whose lengths and checksums stay right. */
function changeBlocks(random: Random, file: Buffer, format: Format): Buffer {
  const { blocks, build } = SPLIT[format](file);
  if (blocks.length === 0) return file;
  const at = below(random, blocks.length);
  const block = blocks[at] as Buffer;
  const changed = [...blocks];
  switch (below(random, 5)) {
    case 0:
      changed.splice(at, 1);
      break;
    case 1: {
      const times = Math.min(1 + below(random, 300), Math.ceil(MAX_BYTES / (block.length + 1)));
      changed.splice(at, 0, ...Array.from({ length: times }, () => block));
      break;
    }
    case 2: {
      const other = below(random, blocks.length);
      changed[at] = changed[other] as Buffer;
      changed[other] = block;
      break;
    }
    default:
      changed[at] = oneOf(random, CHANGES)(random, block);
  }
  return build(changed);
}

/** The beginning of one file and the end of another. */
function splice(random: Random, first: Buffer, second: Buffer): Buffer {
  return Buffer.concat([
    first.subarray(0, below(random, first.length)),
    second.subarray(below(random, second.length)),
  ]);
}

/** One to four changes, more often few. @param others files to take parts from. */
export function mutate(random: Random, file: Buffer, format: Format, others: readonly Buffer[]): Buffer {
  let changed = file;
  for (let left = 1 + Math.floor(4 * random() ** 2); left > 0; left--) {
    const kind = random();
    if (kind < 0.45) changed = changeBlocks(random, changed, format);
    else if (kind < 0.95) changed = oneOf(random, CHANGES)(random, changed);
    else changed = splice(random, changed, oneOf(random, others));
  }
  return changed.subarray(0, 2 * MAX_BYTES);
}
