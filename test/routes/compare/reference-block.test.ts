import { describe, expect, it } from 'vitest';
import { testConfig } from '../../support/engine/engines.ts';
import { assembleApp } from '../../support/http/app.ts';
import {
  base64,
  block,
  engineWithoutModel,
  expectRefusal,
  list,
  postCompare,
  useLimitedCompare,
  vectors,
} from './compare-requests.ts';

const compare = useLimitedCompare();

describe('a block of references', () => {
  const query_embedding = base64(vectors(1)[0] as Float32Array);
  const rows = vectors(50);

  it('is answered like a list', async () => {
    for (const options of [{}, { top_k: 3 }, { threshold: 0.4, distance_metric: 'euclidean' }]) {
      const asList = await compare({ query_embedding, reference_embeddings: list(rows), ...options });
      const asBlock = await compare({ query_embedding, reference_embeddings: block(rows), ...options });
      expect(asList.status).toBe(200);
      expect(asBlock.body).toEqual(asList.body);
    }
  });

  it('is answered like a list on the JSON thread', async () => {
    const large = vectors(60, 400);
    const query = { query_embedding: base64(large[7] as Float32Array) };
    const asBlock = await compare({ ...query, reference_embeddings: block(large) });
    const asList = await compare({ ...query, reference_embeddings: list(large) });
    expect(asBlock.status).toBe(200);
    expect(asBlock.body.best_match).toEqual({ id: 'r7', distance: 0, similarity: 1 });
    expect(asList.body).toEqual(asBlock.body);
  });

  it('is answered like a list of numbers whose body is forwarded to the JSON thread in pieces', async () => {
    const roomy = assembleApp(testConfig({ MAX_REQUEST_SIZE: '20000000' }), engineWithoutModel);
    const send = (body: unknown, headers?: Record<string, string>) => postCompare(roomy.app, body, headers);
    try {
      const many = vectors(600, 512);
      const query = { query_embedding: base64(many[7] as Float32Array), top_k: 5 };
      const asNumbers = {
        ...query,
        reference_embeddings: many.map((row, i) => ({ id: `r${i}`, embedding: [...row] })),
      };
      const { length } = JSON.stringify(asNumbers);
      expect(length).toBeGreaterThan(5_000_000);
      const expected = await send({ ...query, reference_embeddings: list(many) });
      expect(expected.body.best_match).toEqual({ id: 'r7', distance: 0, similarity: 1 });
      expect((await send(asNumbers)).body).toEqual(expected.body);
      expect((await send(asNumbers, { 'Content-Length': String(length) })).body).toEqual(expected.body);
      expect((await send({ ...asNumbers, top_k: -1 })).body.error_code).toBe('INVALID_REQUEST');
    } finally {
      await roomy.json.close();
    }
  });

  it('can be empty', async () => {
    const { body } = await compare({ query_embedding, reference_embeddings: { ids: [], embeddings: '' } });
    expect(body).toMatchObject({ matches: [], best_match: null });
  });

  it.each([
    ['without ids', { embeddings: 'AAAA' }, 400, 'INVALID_REQUEST', /^reference_embeddings\.ids: /],
    [
      'without embeddings',
      { ids: ['a'] },
      400,
      'INVALID_REQUEST',
      /^reference_embeddings\.embeddings: expected/,
    ],
    [
      'with an id that is not a string',
      { ids: ['a', 1], embeddings: '' },
      400,
      'INVALID_REQUEST',
      /^reference_embeddings\.ids\[1\]: /,
    ],
    ['with an unknown member', { ...block(vectors(1)), n: 1 }, 400, 'INVALID_REQUEST', /"n"/],
    [
      'with embeddings as numbers',
      { ids: ['a'], embeddings: [1, 2, 3, 4] },
      400,
      'INVALID_REQUEST',
      /^reference_embeddings\.embeddings: expected a string/,
    ],
    [
      'when it is neither list nor block',
      {},
      400,
      'INVALID_REQUEST',
      'reference_embeddings: expected a list of {id, embedding} or a block {ids, embeddings}',
    ],
    [
      'when its length differs from that of the query',
      block(vectors(3, 5)),
      422,
      'INVALID_EMBEDDING',
      'reference_embeddings.embeddings has 5 numbers for each of 3 ids; query_embedding has 4.',
    ],
    [
      'with one id too few',
      { ...block(vectors(3)), ids: ['a', 'b'] },
      422,
      'INVALID_EMBEDDING',
      'reference_embeddings.embeddings has 6 numbers for each of 2 ids; query_embedding has 4.',
    ],
    [
      'with one number too few',
      { ids: ['a', 'b'], embeddings: base64(Float32Array.of(1, 2, 3, 4, 5)) },
      422,
      'INVALID_EMBEDDING',
      'reference_embeddings.embeddings has 5 numbers, which is not equally many for each of 2 ids.',
    ],
    [
      'with zeros',
      block([...vectors(4), new Float32Array(4)]),
      422,
      'INVALID_EMBEDDING',
      'reference_embeddings.embeddings[4] has zero norm.',
    ],
    [
      'with more than MAX_REFERENCES ids',
      block(vectors(201)),
      413,
      'REQUEST_TOO_LARGE',
      '201 references; the limit is 200.',
    ],
  ])('is refused %s', async (_name, reference_embeddings, status, error_code, detail) => {
    const answer = await compare({ query_embedding, reference_embeddings });
    expectRefusal(answer, status, error_code, detail);
  });

  it('has an embedding space, which must be that of the query', async () => {
    const answer = await compare({
      query_embedding,
      embedding_space: 'a:1',
      reference_embeddings: { ...block(rows), embedding_space: 'b:2' },
    });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({
      error_code: 'EMBEDDING_SPACE_MISMATCH',
      detail: 'reference_embeddings is of b:2, others are of a:1.',
    });
  });
});
