import { type Base64Text, base64Length, decodeBase64Into } from '../base64.ts';
import { ServiceError } from '../errors.ts';
import {
  copyNumbers,
  decodeFloats,
  invalidEmbedding,
  isList,
  readUnitEmbedding,
  scaleToUnit,
  type UncheckedEmbedding,
} from './embedding.ts';

export interface NamedEmbedding {
  id: string;
  /** Undefined while it is not known; then it is not read. */
  embedding?: UncheckedEmbedding | undefined;
  embedding_space?: string | undefined;
}

/** Many embeddings in one string: base64 of ids.length × n little-endian float32 values. */
export interface EmbeddingBlock {
  ids: readonly string[];
  embeddings: Base64Text;
  embedding_space?: string | undefined;
}

/** Embeddings as a caller sends them. */
export type EmbeddingSet = readonly NamedEmbedding[] | EmbeddingBlock;

/** Embeddings that are read one at a time, so that thousands take no memory beyond their text. */
export interface EmbeddingReader {
  readonly ids: readonly string[];
  /** Numbers of each embedding; undefined when there is none. */
  readonly length: number | undefined;
  /** The name of the first one in the request. */
  readonly name: string;
  /**
   * Where the rows of each reference begin, and at last how many there are, if some references have several: the distance to one
   * is that to the nearest of its rows. Without it, there is a row for each id.
   */
  readonly starts?: Uint32Array | undefined;
  /**
   * How many embeddings the references before each one have, and at last how many there are, if some have several: strangers have a
   * chance with each, also with those of a mean. Without it, each has one.
   */
  readonly groups?: Uint32Array | undefined;
  /** The unit vectors of all rows, one after the other, if they have been read already. */
  readonly values?: Float64Array<ArrayBuffer>;
  /**
   * Writes the unit vector of one row.
   *
   * @param row of `length` numbers.
   * @throws {ServiceError} INVALID_EMBEDDING, naming the embedding.
   */
  read(index: number, row: Float64Array): void;
}

/** Unit vectors, one after the other. */
export interface UnitVectors {
  count: number;
  /** Numbers of each. */
  length: number;
  values: Float64Array<ArrayBuffer>;
}

/** An embedding of a request, and its length, which all others must have. */
export interface ExpectedLength {
  name: string;
  length: number;
}

/**
 * @param name of the set in the request.
 * @throws {ServiceError} INVALID_EMBEDDING for a block whose length does not fit its ids, or for an invalid first embedding;
 *   the others are checked when they are read.
 */
export function openEmbeddings(set: EmbeddingSet, name: string, like?: ExpectedLength): EmbeddingReader {
  return isBlock(set) ? openBlock(set, `${name}.embeddings`, like) : openList(set, name, like);
}

export function isBlock(set: EmbeddingSet): set is EmbeddingBlock {
  return !Array.isArray(set);
}

/** A reader of unit vectors. @param layout as in an EmbeddingReader. */
export function openVectors(
  ids: readonly string[],
  { length, values }: Pick<UnitVectors, 'length' | 'values'>,
  layout: Pick<EmbeddingReader, 'starts' | 'groups'> = {},
): EmbeddingReader {
  return {
    ids,
    starts: layout.starts,
    groups: layout.groups,
    length,
    name: '',
    read: (index, row) => row.set(values.subarray(index * length, (index + 1) * length)),
  };
}

/**
 * Reads all rows.
 *
 * @param except indexes of those that are left zero.
 * @throws {ServiceError} INVALID_EMBEDDING, naming the embedding.
 */
export function readVectors(
  reader: EmbeddingReader,
  length: number,
  except: ReadonlySet<number> = new Set(),
): UnitVectors {
  const count = reader.starts?.at(-1) ?? reader.ids.length;
  if (reader.values) return { count, length, values: reader.values };
  const values = new Float64Array(count * length);
  for (let index = 0; index < count; index++) {
    if (!except.has(index)) reader.read(index, values.subarray(index * length, (index + 1) * length));
  }
  return { count, length, values };
}

/** @param nameOf the name of an embedding in the request. */
export function openList(
  list: readonly NamedEmbedding[],
  name: string,
  like?: ExpectedLength,
  nameOf = (index: number) => `${name}[${index}].embedding`,
): EmbeddingReader {
  const expected = like ?? measureFirst(list, nameOf);
  // Base64 is decoded into these, then copied to double precision.
  const floats = new Float32Array(expected?.length ?? 0);
  const bytes = Buffer.from(floats.buffer);
  return {
    ids: list.map(({ id }) => id),
    length: expected?.length,
    name: expected?.name ?? name,
    read(index, row) {
      const embedding = list[index]?.embedding ?? [];
      const itsName = nameOf(index);
      if (!isList(embedding) && decodeBase64Into(bytes, embedding.slice())) {
        row.set(floats);
        scaleToUnit(row, itsName);
      } else if (isList(embedding) && embedding.length === row.length) {
        copyNumbers(embedding, row, itsName);
        scaleToUnit(row, itsName);
      } else {
        // Base64 with white space, or an invalid embedding.
        const values = readUnitEmbedding(embedding, itsName);
        if (values.length !== row.length) {
          throw otherLength(`${itsName} has ${values.length} numbers`, expected);
        }
        row.set(values);
      }
    },
  };
}

function measureFirst(
  list: readonly NamedEmbedding[],
  nameOf: (index: number) => string,
): ExpectedLength | undefined {
  const index = list.findIndex(({ embedding }) => embedding !== undefined);
  const embedding = list[index]?.embedding;
  if (embedding === undefined) return undefined;
  const name = nameOf(index);
  return { name, length: readUnitEmbedding(embedding, name).length };
}

/** Three rows of float32 are a whole number of base64's groups of three bytes, so they can be decoded independently. */
const ROWS_AT_ONCE = 3;

function openBlock(block: EmbeddingBlock, name: string, like?: ExpectedLength): EmbeddingReader {
  const { ids, embeddings } = block;
  if (like === undefined || base64Length(embeddings) !== ids.length * like.length * 4) {
    return openWholeBlock(block, name, like);
  }
  const { length } = like;
  // Decoding tens of megabytes in one piece takes several times as long, mostly to allocate the memory.
  const floats = new Float32Array(ROWS_AT_ONCE * length);
  const bytes = Buffer.from(floats.buffer);
  const characters = (ROWS_AT_ONCE * length * 4 * 4) / 3;
  let whole: EmbeddingReader | undefined;
  let decoded = -1;
  return {
    ids,
    length,
    name,
    read(index, row) {
      const group = Math.floor(index / ROWS_AT_ONCE);
      if (whole === undefined && group !== decoded) {
        const rows = Math.min(ROWS_AT_ONCE, ids.length - group * ROWS_AT_ONCE);
        const text = embeddings.slice(group * characters, (group + 1) * characters);
        // White space, or invalid base64.
        if (!decodeBase64Into(bytes.subarray(0, rows * length * 4), text)) {
          whole = openWholeBlock(block, name, like);
        }
        decoded = group;
      }
      if (whole !== undefined) {
        whole.read(index, row);
        return;
      }
      const first = (index % ROWS_AT_ONCE) * length;
      row.set(floats.subarray(first, first + length));
      scaleToUnit(row, `${name}[${index}]`);
    },
  };
}

function openWholeBlock(
  { ids, embeddings }: EmbeddingBlock,
  name: string,
  like?: ExpectedLength,
): EmbeddingReader {
  const floats = decodeFloats(embeddings, name);
  const length = floats.length / ids.length;
  if (ids.length === 0 ? floats.length > 0 : length === 0 || !Number.isInteger(length)) {
    const problem = `has ${floats.length} numbers, which is not equally many for each of ${ids.length} ids`;
    throw invalidEmbedding(name, problem);
  }
  if (like && ids.length > 0 && length !== like.length) {
    throw otherLength(`${name} has ${length} numbers for each of ${ids.length} ids`, like);
  }
  return {
    ids,
    length: ids.length > 0 ? length : undefined,
    name,
    read(index, row) {
      row.set(floats.subarray(index * length, (index + 1) * length));
      scaleToUnit(row, `${name}[${index}]`);
    },
  };
}

function otherLength(fact: string, like: ExpectedLength | undefined): ServiceError {
  return new ServiceError('INVALID_EMBEDDING', { detail: `${fact}; ${like?.name} has ${like?.length}.` });
}
