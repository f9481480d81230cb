import { deflateSync } from 'node:zlib';
import { join, repeat, text, u16le, u32le, zeros } from './bytes.ts';

const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;
const ONE_VALUE_BYTES = 4;

type Entry = [tag: number, type: number, count: number, value: number | Uint8Array];

/** One directory; longer values follow it, then what else there is. */
function file(entries: Entry[], tail: Uint8Array, next = 0) {
  const sorted = entries.toSorted(([a], [b]) => a - b);
  let at = 8 + 2 + 12 * sorted.length + 4;
  const values: Uint8Array[] = [];
  const directory = sorted.map(([tag, type, count, value]) => {
    const head = join(u16le(tag, type), u32le(count));
    if (typeof value === 'number') return join(head, u32le(value));
    if (value.length <= ONE_VALUE_BYTES) return join(head, value, zeros(ONE_VALUE_BYTES - value.length));
    values.push(value);
    at += value.length;
    return join(head, u32le(at - value.length));
  });
  return join(
    text('II'),
    u16le(42),
    u32le(8),
    u16le(sorted.length),
    ...directory,
    u32le(next),
    ...values,
    tail,
  );
}

export interface TiffOptions {
  compression?: 'deflate' | 'jpeg';
  /** Kilobytes are enough for any picture, since all strips or tiles share them. */
  data?: Uint8Array;
  /** Rows of a strip. */
  rows?: number;
  /** Sides of a tile. */
  tile?: number;
  /** Photometric interpretation; 2 is RGB, 5 CMYK, 6 YCbCr, 8 CIELab. */
  colours?: 2 | 5 | 6 | 8;
  bits?: 8 | 16;
  extra?: Entry[];
  tail?: Uint8Array;
}

export function tiff(width: number, height: number, options: TiffOptions = {}) {
  const {
    compression = 'deflate',
    rows = 64,
    tile,
    colours = 2,
    bits = 8,
    extra = [],
    tail = zeros(0),
  } = options;
  const channels = colours === 5 ? 4 : 3;
  const count = tile ? Math.ceil(width / tile) * Math.ceil(height / tile) : Math.ceil(height / rows);
  const pixels = tile ? tile * tile : width * rows;
  const data = options.data ?? deflateSync(zeros((pixels * channels * bits) / 8), { level: 9 });
  const [offsets, lengths] = tile ? [324, 325] : [273, 279];
  const build = (at: number) =>
    file(
      [
        [256, LONG, 1, width],
        [257, LONG, 1, height],
        [258, SHORT, channels, u16le(...new Array<number>(channels).fill(bits))],
        [259, SHORT, 1, compression === 'jpeg' ? 7 : 8],
        [262, SHORT, 1, colours],
        [277, SHORT, 1, channels],
        ...(tile
          ? ([
              [322, LONG, 1, tile],
              [323, LONG, 1, tile],
            ] as Entry[])
          : ([[278, LONG, 1, rows]] as Entry[])),
        [offsets as number, LONG, count, repeat(u32le(at), count)],
        [lengths as number, LONG, count, repeat(u32le(data.length), count)],
        ...extra,
      ],
      join(data, tail),
    );
  // Offsets have the same length whatever they are.
  return build(build(0).length - data.length - tail.length);
}

/** Zeros after empty blocks of deflate, 5 bytes each, for which zlib takes about as long as for ordinary ones. */
export function emptyBlocks(blocks: number, length: number) {
  const zlib = deflateSync(zeros(length));
  const head = 2;
  return join(
    zlib.subarray(0, head),
    repeat(Uint8Array.of(0, 0, 0, 0xff, 0xff), blocks),
    zlib.subarray(head),
  );
}

/** Unknown tags whose values are the same bytes at the end of the file. */
export function sharedValues(tags: number, bytes: number) {
  const entries = Array.from({ length: tags }, (_, index): Entry => [40_000 + index, UNDEFINED, bytes, 8]);
  return tiff(8, 8, { rows: 8, extra: entries, tail: zeros(bytes) });
}

export const unknownTags = (tags: number) =>
  tiff(8, 8, {
    rows: 8,
    extra: Array.from({ length: tags }, (_, index): Entry => [40_000 + index, SHORT, 1, 8]),
  });

/** Pages that are all the first. */
export function pages(count: number) {
  const page = tiff(8, 8, { rows: 8 });
  const length = 2 + 12 * page.readUInt16LE(8) + 4;
  const directory = page.subarray(8, 8 + length - 4);
  const next = (index: number) => u32le(index < count ? page.length + (index - 1) * length : 0);
  const copies = Array.from({ length: count - 1 }, (_, index) => join(directory, next(index + 2)));
  return join(page.subarray(0, 8 + length - 4), next(1), page.subarray(8 + length), ...copies);
}
