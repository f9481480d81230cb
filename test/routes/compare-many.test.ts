import { afterAll, describe, expect, it } from 'vitest';
import { ServiceError } from '../../src/errors.ts';
import { encodeEmbedding } from '../../src/similarity/embedding.ts';
import { assembleApp } from '../support/app.ts';
import { TinyEngine, testConfig } from '../support/engines.ts';
import { answerOf } from '../support/http.ts';
import { seededRandom } from '../support/numbers.ts';

// No model: comparing embeddings needs none.
const engine = new TinyEngine({ phase: 'unavailable', reason: '' }, () => {
  throw new ServiceError('MODEL_NOT_LOADED');
});
const config = testConfig({
  MAX_REFERENCES: '200',
  MAX_COMPARISONS: '600',
  MAX_IMAGE_SIZE: '1024',
  MAX_REQUEST_SIZE: '250000',
});
const { app, json } = assembleApp(config, engine);
afterAll(() => json.close());

async function compare(body: unknown) {
  return answerOf(
    await app.request('/v1/compare', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );
}

function vectors(count: number, length = 4, seed = count): Float32Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length }, () => random() - 0.5));
}

const base64 = (vector: Float32Array) => encodeEmbedding(vector, 'base64') as string;
const block = (rows: readonly Float32Array[], prefix = 'r') => ({
  ids: rows.map((_, i) => `${prefix}${i}`),
  embeddings: base64(Float32Array.from(rows.flatMap((row) => [...row]))),
});
const list = (rows: readonly Float32Array[], prefix = 'r') =>
  rows.map((row, i) => ({ id: `${prefix}${i}`, embedding: base64(row) }));

it.each([null, [], 'text', 5, 'x'.repeat(2000), [['x'.repeat(2000)]]])(
  'a body that is no object is refused',
  async (body) => {
    const answer = await compare(body);
    expect(answer.status).toBe(400);
    expect(answer.body.error_code).toBe('INVALID_REQUEST');
  },
);

describe('reference_embeddings as a block', () => {
  const query_embedding = base64(vectors(1)[0] as Float32Array);
  const rows = vectors(50);

  it('answer as a list does', async () => {
    for (const options of [{}, { top_k: 3 }, { threshold: 0.4, distance_metric: 'euclidean' }]) {
      const asList = await compare({ query_embedding, reference_embeddings: list(rows), ...options });
      const asBlock = await compare({ query_embedding, reference_embeddings: block(rows), ...options });
      expect(asList.status).toBe(200);
      expect(asBlock.body).toEqual(asList.body);
    }
  });

  it('answer the same on the thread for large bodies', async () => {
    const large = vectors(60, 400);
    const query = { query_embedding: base64(large[7] as Float32Array) };
    const asBlock = await compare({ ...query, reference_embeddings: block(large) });
    const asList = await compare({ ...query, reference_embeddings: list(large) });
    expect(asBlock.status).toBe(200);
    expect(asBlock.body.best_match).toEqual({ id: 'r7', distance: 0, similarity: 1 });
    expect(asList.body).toEqual(asBlock.body);
  });

  it('answer the same in a body so large that it is forwarded in pieces', async () => {
    const roomy = assembleApp(testConfig({ MAX_REQUEST_SIZE: '20000000' }), engine);
    const send = async (body: unknown, headers: Record<string, string> = {}) =>
      answerOf(
        await roomy.app.request('/v1/compare', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', ...headers },
          body: JSON.stringify(body),
        }),
      );
    try {
      const many = vectors(600, 512);
      const query = { query_embedding: base64(many[7] as Float32Array), top_k: 5 };
      const asNumbers = {
        ...query,
        reference_embeddings: many.map((row, i) => ({ id: `r${i}`, embedding: [...row] })),
      };
      const { length } = JSON.stringify(asNumbers);
      expect(length).toBeGreaterThan(5_000_000);
      const wanted = await send({ ...query, reference_embeddings: list(many) });
      expect(wanted.body.best_match).toEqual({ id: 'r7', distance: 0, similarity: 1 });
      expect((await send(asNumbers)).body).toEqual(wanted.body);
      expect((await send(asNumbers, { 'Content-Length': String(length) })).body).toEqual(wanted.body);
      expect((await send({ ...asNumbers, top_k: -1 })).body.error_code).toBe('INVALID_REQUEST');
    } finally {
      await roomy.json.close();
    }
  });

  it('may be empty', async () => {
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
      'with an id that is no text',
      { ids: ['a', 1], embeddings: '' },
      400,
      'INVALID_REQUEST',
      /^reference_embeddings\.ids\[1\]: /,
    ],
    ['with another member', { ...block(vectors(1)), n: 1 }, 400, 'INVALID_REQUEST', /"n"/],
    [
      'with embeddings as numbers',
      { ids: ['a'], embeddings: [1, 2, 3, 4] },
      400,
      'INVALID_REQUEST',
      /^reference_embeddings\.embeddings: expected a string/,
    ],
    [
      'that is neither list nor block',
      {},
      400,
      'INVALID_REQUEST',
      'reference_embeddings: expected a list of {id, embedding} or a block {ids, embeddings}',
    ],
    [
      'of another length',
      block(vectors(3, 5)),
      422,
      'INVALID_EMBEDDING',
      'reference_embeddings.embeddings has 5 numbers for each of 3 ids; query_embedding has 4.',
    ],
    [
      'with an id too few',
      { ...block(vectors(3)), ids: ['a', 'b'] },
      422,
      'INVALID_EMBEDDING',
      'reference_embeddings.embeddings has 6 numbers for each of 2 ids; query_embedding has 4.',
    ],
    [
      'with a number too few',
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
    ['too long', block(vectors(201)), 413, 'REQUEST_TOO_LARGE', '201 references; the limit is 200.'],
  ])('%s are refused', async (_name, reference_embeddings, status, error_code, detail) => {
    const answer = await compare({ query_embedding, reference_embeddings });
    expect(answer.body).toMatchObject({
      error_code,
      detail: typeof detail === 'string' ? detail : expect.stringMatching(detail),
    });
    expect(answer.status).toBe(status);
  });

  it('have an embedding space', async () => {
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

describe('query_embeddings', () => {
  const queries = vectors(6, 4, 99);
  const rows = vectors(50);
  const options = { threshold: 0.4, top_k: 5, distance_metric: 'euclidean' };

  it('each get what they would get alone, to the last bit', async () => {
    const alone = await Promise.all(
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
        results: alone.map(({ matches, best_match }, i) => ({ id: `q${i}`, matches, best_match })),
        distance_metric: 'euclidean',
        threshold: 0.4,
      });
      expect(body.results[5].matches).toHaveLength(5);
    }
  });

  it('may be one, or none', async () => {
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
    ['bare embeddings', [[1, 2, 3, 4]], 400, 'INVALID_REQUEST', /^query_embeddings\[0\]: .*object/],
    ['a query without id', [{ embedding: [1] }], 400, 'INVALID_REQUEST', /^query_embeddings\[0\]\.id: /],
    ['a picture', [{ id: 'a', image: 'AAAA' }], 400, 'INVALID_REQUEST', /^query_embeddings\[0\].*/],
    ['a text', 'AAAA', 400, 'INVALID_REQUEST', /^query_embeddings: expected a list/],
    [
      'two lengths',
      [...list(vectors(2)), ...list(vectors(1, 3))],
      422,
      'INVALID_EMBEDDING',
      'query_embeddings[2].embedding has 3 numbers; query_embeddings[0].embedding has 4.',
    ],
    [
      'another length than the references',
      list(vectors(2, 3)),
      422,
      'INVALID_EMBEDDING',
      /^reference_embeddings\.embeddings has 4 numbers for each of 50 ids; query_embeddings\[0\]\.embedding has 3\.$/,
    ],
    [
      'two spaces',
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
  ])('with %s are refused', async (_name, query_embeddings, status, error_code, detail) => {
    const answer = await compare({ query_embeddings, reference_embeddings: block(rows) });
    expect(answer.body).toMatchObject({
      error_code,
      detail: typeof detail === 'string' ? detail : expect.stringMatching(detail),
    });
    expect(answer.status).toBe(status);
  });

  it('count for more when they are long', async () => {
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

  it('get no answer that is larger than a request may be', async () => {
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
  ])('do not go with %s', async (_name, other) => {
    const answer = await compare({ query_embeddings: [], ...other, reference_embeddings: [] });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      error_code: 'INVALID_REQUEST',
      detail: 'query_embedding: expected exactly one of query_embedding, query_embeddings, query_image',
    });
  });
});
