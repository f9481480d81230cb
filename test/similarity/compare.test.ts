import { describe, expect, it } from 'vitest';
import { type CompareRequest, rankReferences } from '../support/http/rank-references.ts';
import { cosine, seededRandom } from '../support/numbers.ts';

const compare = (request: Partial<CompareRequest>) =>
  rankReferences({
    query_embedding: [1, 0],
    reference_embeddings: [],
    distance_metric: 'cosine',
    ...request,
  });

const references = (...embeddings: number[][]) =>
  embeddings.map((embedding, index) => ({ id: `r${index}`, embedding }));

describe('ranking references', () => {
  it.each([
    ['equal', [5, 0], 0, 0, 1],
    ['at a right angle', [0, 2], 1, Math.SQRT2, 0.5],
    ['opposite', [-3, 0], 2, 2, 0],
    ['at 60 degrees', [1, Math.sqrt(3)], 0.5, 1, 0.75],
  ])(
    'gives both distances and the similarity of vectors that are %s',
    (_name, embedding, cosineDistance, euclidean, similarity) => {
      for (const [distance_metric, distance] of [
        ['cosine', cosineDistance],
        ['euclidean', euclidean],
      ] as const) {
        const { best_match } = compare({ distance_metric, reference_embeddings: references(embedding) });
        expect(best_match?.distance).toBeCloseTo(distance, 12);
        expect(best_match?.similarity).toBeCloseTo(similarity, 12);
      }
    },
  );

  it('matches the definitions for random vectors', () => {
    const random = seededRandom(2);
    const vector = () => Array.from({ length: 512 }, () => random() - 0.5);
    const query = vector();
    const others = Array.from({ length: 20 }, vector);
    const { matches } = compare({ query_embedding: query, reference_embeddings: references(...others) });
    for (const { id, distance, similarity } of matches) {
      const cos = cosine(query, others[Number(id.slice(1))] as number[]);
      expect(distance).toBeCloseTo(1 - cos, 12);
      expect(similarity).toBeCloseTo((1 + cos) / 2, 12);
    }
    expect(matches.map(({ distance }) => distance)).toEqual(
      matches.map(({ distance }) => distance).toSorted((a, b) => a - b),
    );
  });

  it('gives equal vectors a distance of exactly 0', () => {
    const random = seededRandom(9);
    const query = Array.from({ length: 512 }, () => random() - 0.5);
    expect(
      compare({ query_embedding: query, reference_embeddings: references(query) }).best_match?.distance,
    ).toBe(0);
  });

  it('keeps ties in request order', () => {
    const { matches } = compare({ reference_embeddings: references([0, 1], [1, 0], [0, 2], [0, -1]) });
    expect(matches.map(({ id }) => id)).toEqual(['r1', 'r0', 'r2', 'r3']);
  });

  it('sets is_match only with a threshold, and counts a distance equal to it as a match', () => {
    const reference_embeddings = references([0, 1], [1, 0]);
    expect(compare({ reference_embeddings }).matches[0]).not.toHaveProperty('is_match');
    const judged = compare({ reference_embeddings, threshold: 1 });
    expect(judged.threshold).toBe(1);
    expect(judged.best_match?.is_match).toBe(true);
    expect(judged.matches.map(({ is_match }) => is_match)).toEqual([true, true]);
    expect(compare({ reference_embeddings, threshold: 0.99 }).matches[1]?.is_match).toBe(false);
  });

  it('returns at most top_k matches', () => {
    const reference_embeddings = references([0, 1], [1, 0], [1, 1]);
    expect(compare({ reference_embeddings, top_k: 2 }).matches.map(({ id }) => id)).toEqual(['r1', 'r2']);
    expect(compare({ reference_embeddings, top_k: 9 }).matches).toHaveLength(3);
  });

  it('has no best match without references', () => {
    expect(compare({})).toEqual({ matches: [], best_match: null, distance_metric: 'cosine' });
  });

  it('refuses embeddings of different lengths', () => {
    expect(() => compare({ query_embedding: [1, 2, 3], reference_embeddings: references([1, 0]) })).toThrow(
      expect.objectContaining({
        code: 'INVALID_EMBEDDING',
        detail: 'reference_embeddings[0].embedding has 2 numbers; query_embedding has 3.',
      }),
    );
  });

  it('names the invalid reference in the error', () => {
    expect(() => compare({ reference_embeddings: references([1, 0], [0, 0]) })).toThrow(
      expect.objectContaining({ detail: 'reference_embeddings[1].embedding has zero norm.' }),
    );
  });

  describe('embedding spaces', () => {
    const reference = (embedding_space?: string) => ({ id: 'r', embedding: [1, 0], embedding_space });

    it('are accepted where all that are named agree', () => {
      expect(() =>
        compare({ embedding_space: 'a:1', reference_embeddings: [reference('a:1'), reference()] }),
      ).not.toThrow();
    });

    it.each([
      ['of the query and a reference', 'a:1', ['a:1', 'b:2']],
      ['of two references', undefined, [undefined, 'a:1', 'b:2']],
    ])('are refused where they differ: %s', (_name, embedding_space, spaces) => {
      expect(() => compare({ embedding_space, reference_embeddings: spaces.map(reference) })).toThrow(
        expect.objectContaining({ code: 'EMBEDDING_SPACE_MISMATCH' }),
      );
    });
  });
});
