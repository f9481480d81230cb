import { describe, expect, it } from 'vitest';
import { type EmbeddingBlock, openEmbeddings, readVectors } from '../../src/similarity/embedding-set.ts';
import { seededRandom } from '../support/numbers.ts';

const LENGTH = 5;
const like = { name: 'query_embedding', length: LENGTH };
const base64 = (floats: Float32Array) =>
  Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength).toString('base64');

function vectors(count: number): Float32Array[] {
  const random = seededRandom(count);
  return Array.from({ length: count }, () => Float32Array.from({ length: LENGTH }, () => random() - 0.5));
}

function block(rows: readonly Float32Array[]): EmbeddingBlock {
  const joined = Float32Array.from(rows.flatMap((row) => [...row]));
  return { ids: rows.map((_, i) => `r${i}`), embeddings: base64(joined) };
}

describe('a block of embeddings', () => {
  // Three rows are decoded at a time: this covers every remainder.
  it.each([0, 1, 2, 3, 4, 5, 6, 7])('of %i gives the vectors of a list of them', (count) => {
    const rows = vectors(count);
    const list = rows.map((row, i) => ({ id: `r${i}`, embedding: base64(row) }));
    const fromList = openEmbeddings(list, 'r', like);
    for (const text of [block(rows).embeddings as string, `${block(rows).embeddings} `]) {
      const fromBlock = openEmbeddings({ ...block(rows), embeddings: text }, 'r', like);
      expect(fromBlock.ids).toEqual(fromList.ids);
      expect(readVectors(fromBlock, LENGTH)).toEqual(readVectors(fromList, LENGTH));
    }
    const unpadded = (block(rows).embeddings as string).replace(/=+$/, '');
    const withoutLike = openEmbeddings({ ...block(rows), embeddings: unpadded }, 'r');
    expect(withoutLike.length).toBe(count === 0 ? undefined : LENGTH);
    expect(readVectors(withoutLike, LENGTH)).toEqual(readVectors(fromList, LENGTH));
  });

  it('can be read in any order', () => {
    const rows = vectors(7);
    const all = readVectors(openEmbeddings(block(rows), 'r', like), LENGTH).values;
    const reader = openEmbeddings(block(rows), 'r', like);
    const row = new Float64Array(LENGTH);
    for (const index of [6, 0, 5, 1, 1, 3]) {
      reader.read(index, row);
      expect(row).toEqual(all.subarray(index * LENGTH, (index + 1) * LENGTH));
    }
  });

  const refuse = (change: Partial<EmbeddingBlock>, expected?: typeof like) => () =>
    readVectors(openEmbeddings({ ...block(vectors(4)), ...change }, 'r', expected), LENGTH);
  const rowsWith = (index: number, row: number[]) =>
    block(vectors(4).with(index, Float32Array.from(row))).embeddings;

  it.each([
    ['invalid base64', { embeddings: '*' }, 'r.embeddings is not valid base64.'],
    ['half a float', { embeddings: 'AAAAAAA=' }, 'r.embeddings is not a whole number of float32 values.'],
    [
      'an id too many',
      { ids: ['a', 'b', 'c', 'd', 'e', 'f'] },
      'r.embeddings has 20 numbers, which is not equally many for each of 6 ids.',
    ],
    ['no ids', { ids: [] }, 'r.embeddings has 20 numbers, which is not equally many for each of 0 ids.'],
    [
      'no numbers',
      { embeddings: '' },
      'r.embeddings has 0 numbers, which is not equally many for each of 4 ids.',
    ],
    ['zeros', { embeddings: rowsWith(3, [0, 0, 0, 0, 0]) }, 'r.embeddings[3] has zero norm.'],
    [
      'NaN',
      { embeddings: rowsWith(1, [1, Number.NaN, 0, 0, 0]) },
      'r.embeddings[1] has a value that is not a finite number.',
    ],
    [
      'invalid base64 in the middle',
      {
        embeddings: (block(vectors(4)).embeddings as string).replace(
          /^.{85}./,
          (text) => `${text.slice(0, -1)}*`,
        ),
      },
      'r.embeddings is not valid base64.',
    ],
  ])('with %s is refused, and the error names it', (_name, change, detail) => {
    for (const expected of [like, undefined]) {
      expect(refuse(change, expected)).toThrow(
        expect.objectContaining({ code: 'INVALID_EMBEDDING', detail }),
      );
    }
  });

  it('of a length other than that of the query is refused', () => {
    expect(refuse({ ids: ['a', 'b'] }, like)).toThrow(
      expect.objectContaining({
        code: 'INVALID_EMBEDDING',
        detail: 'r.embeddings has 10 numbers for each of 2 ids; query_embedding has 5.',
      }),
    );
  });
});
