import { describe, expect, it } from 'vitest';
import { base64, block, expectRefusal, list, useLimitedCompare, vectors } from './compare-requests.ts';

const compare = useLimitedCompare();

describe('query_embeddings', () => {
  const queries = vectors(6, 4, 99);
  const rows = vectors(50);
  const options = { threshold: 0.4, top_k: 5, distance_metric: 'euclidean' };

  it('get the same ranking each as in a request of their own, to the last bit', async () => {
    const single = await Promise.all(
      queries.map(async (query) => {
        const request = { query_embedding: base64(query), reference_embeddings: list(rows), ...options };
        return (await compare(request)).body;
      }),
    );
    for (const query_embeddings of [list(queries, 'q'), block(queries, 'q')]) {
      const { status, body } = await compare({
        query_embeddings,
        reference_embeddings: block(rows),
        ...options,
      });
      expect(status).toBe(200);
      expect(body).toEqual({
        results: single.map(({ matches, best_match }, i) => ({ id: `q${i}`, matches, best_match })),
        distance_metric: 'euclidean',
        threshold: 0.4,
      });
      expect(body.results[5].matches).toHaveLength(5);
    }
  });

  it('can be a single one, or none', async () => {
    const one = await compare({ query_embeddings: list(queries.slice(0, 1)), reference_embeddings: [] });
    expect(one.body).toEqual({
      results: [{ id: 'r0', matches: [], best_match: null }],
      distance_metric: 'cosine',
    });
    for (const query_embeddings of [[], { ids: [], embeddings: '' }]) {
      const none = await compare({ query_embeddings, reference_embeddings: block(rows) });
      expect(none.body).toEqual({ results: [], distance_metric: 'cosine' });
    }
  });

  it.each([
    ['embeddings without an id', [[1, 2, 3, 4]], 400, 'INVALID_REQUEST', /^query_embeddings\[0\]: .*object/],
    ['a query without id', [{ embedding: [1] }], 400, 'INVALID_REQUEST', /^query_embeddings\[0\]\.id: /],
    ['a picture', [{ id: 'a', image: 'AAAA' }], 400, 'INVALID_REQUEST', /^query_embeddings\[0\].*/],
    ['a string', 'AAAA', 400, 'INVALID_REQUEST', /^query_embeddings: expected a list/],
    [
      'different lengths',
      [...list(vectors(2)), ...list(vectors(1, 3))],
      422,
      'INVALID_EMBEDDING',
      'query_embeddings[2].embedding has 3 numbers; query_embeddings[0].embedding has 4.',
    ],
    [
      'a length other than that of the references',
      list(vectors(2, 3)),
      422,
      'INVALID_EMBEDDING',
      /^reference_embeddings\.embeddings has 4 numbers for each of 50 ids; query_embeddings\[0\]\.embedding has 3\.$/,
    ],
    [
      'different embedding spaces',
      list(vectors(2)).map((query, i) => ({ ...query, embedding_space: `s:${i}` })),
      422,
      'EMBEDDING_SPACE_MISMATCH',
      'query_embeddings[1] is of s:1, others are of s:0.',
    ],
    [
      'too many comparisons',
      block(vectors(13)),
      413,
      'REQUEST_TOO_LARGE',
      '13 queries × 50 references; the limit is 600 comparisons.',
    ],
    ['too many queries', block(vectors(201)), 413, 'REQUEST_TOO_LARGE', '201 queries; the limit is 200.'],
  ])('are refused: %s', async (_name, query_embeddings, status, error_code, detail) => {
    const answer = await compare({ query_embeddings, reference_embeddings: block(rows) });
    expectRefusal(answer, status, error_code, detail);
  });

  it('count in proportion to their length when it exceeds 512', async () => {
    const few = block(vectors(17, 1024));
    const answer = await compare({ query_embeddings: few, reference_embeddings: few });
    expect(answer.status).toBe(200);
    const many = block(vectors(18, 1024));
    const tooMany = await compare({ query_embeddings: many, reference_embeddings: many });
    expect(tooMany.status).toBe(413);
    expect(tooMany.body).toMatchObject({
      error_code: 'REQUEST_TOO_LARGE',
      detail: '18 queries × 18 references of 1024 numbers; the limit is 300 comparisons.',
    });
  });

  it('are refused when the answer would exceed MAX_REQUEST_SIZE', async () => {
    const id = 'x'.repeat(50_000);
    const reference = { id, embedding: [1] };
    const query_embeddings = Array.from({ length: 6 }, (_, i) => ({ id: `${i}`, embedding: [1] }));
    const answer = await compare({ query_embeddings, reference_embeddings: [reference] });
    expect(answer.status).toBe(413);
    expect(answer.body).toMatchObject({
      error_code: 'REQUEST_TOO_LARGE',
      detail: 'The answer would have more than 250000 bytes; top_k asks for fewer matches.',
    });
  });

  it.each([
    ['query_embedding', { query_embedding: [1] }],
    ['query_image', { query_image: 'AAAA' }],
  ])('are refused together with %s', async (_name, other) => {
    const answer = await compare({ query_embeddings: [], ...other, reference_embeddings: [] });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      error_code: 'INVALID_REQUEST',
      detail: 'query_embedding: expected exactly one of query_embedding, query_embeddings, query_image',
    });
  });
});
