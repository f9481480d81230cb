import { describe, expect, it } from 'vitest';
import { encodeEmbedding } from '../../../src/similarity/embedding.ts';
import { testConfig } from '../../support/engine/engines.ts';
import { assembleApp } from '../../support/http/app.ts';
import { engineWithoutModel, expectRefusal, postCompare } from './compare-requests.ts';

const config = testConfig({ MAX_REFERENCES: '3', MAX_IMAGE_SIZE: '1024', MAX_REQUEST_SIZE: '4096' });
const { app } = assembleApp(config, engineWithoutModel);
const compare = (body: unknown, headers?: Record<string, string>, query?: string) =>
  postCompare(app, body, headers, query);

const reference = (id: string, embedding: unknown, more = {}) => ({ id, embedding, ...more });

describe('POST /v1/compare', () => {
  it('ranks references with the requested metric, threshold and top_k', async () => {
    const { status, body, headers } = await compare({
      query_embedding: [1, 0],
      reference_embeddings: [reference('far', [0, 1]), reference('near', [1, 0.1])],
      distance_metric: 'euclidean',
      threshold: 0.4,
      top_k: 1,
    });
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      matches: [body.best_match],
      best_match: {
        id: 'near',
        distance: expect.closeTo(0.0995, 3),
        similarity: expect.closeTo(0.9975, 3),
        is_match: true,
      },
      distance_metric: 'euclidean',
      threshold: 0.4,
    });
  });

  it('uses cosine by default, and sets is_match only with a threshold', async () => {
    const { body } = await compare({
      query_embedding: [1, 0],
      reference_embeddings: [reference('a', [0, 1])],
    });
    expect(body).toEqual({
      matches: [{ id: 'a', distance: 1, similarity: 0.5 }],
      best_match: { id: 'a', distance: 1, similarity: 0.5 },
      distance_metric: 'cosine',
    });
  });

  it('takes options in the query too, but none twice', async () => {
    const body = {
      query_embedding: [1, 0],
      reference_embeddings: [reference('a', [1, 0]), reference('b', [0, 1])],
    };
    const options = { distance_metric: 'euclidean', threshold: 0.4, top_k: 1, return_embeddings: true };
    const { body: expected } = await compare({ ...body, ...options });
    const inQuery = (query: string, more = {}) => compare({ ...body, ...more }, {}, query);
    const all = '?distance_metric=euclidean&threshold=0.4&top_k=1&return_embeddings=TRUE';
    for (const answer of [
      await inQuery(all),
      await inQuery('?threshold=0.4&return_embeddings=1', { distance_metric: 'euclidean', top_k: 1 }),
    ]) {
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual(expected);
    }
    for (const [query, detail] of [
      ['?top_k=1&top_k=1', /^top_k: given more than once in the query$/],
      ['?top_k=1', /^top_k: given in the query and in the body$/],
      ['?top_k=0.5', /^top_k: /],
      ['?threshold=3', /^threshold: /],
      ['?x=1', /x/],
    ] as const) {
      expectRefusal(await inQuery(query, { top_k: 1 }), 400, 'INVALID_REQUEST', detail);
    }
  });

  it('compares base64 with numbers', async () => {
    const base64 = encodeEmbedding(Float32Array.of(3, 4), 'base64');
    const { body } = await compare({
      query_embedding: base64,
      reference_embeddings: [reference('a', [0.6, 0.8])],
    });
    expect(body.best_match.distance).toBeCloseTo(0, 12);
  });

  it('answers a request without references', async () => {
    const { body } = await compare({ query_embedding: [1], reference_embeddings: [] });
    expect(body).toMatchObject({ matches: [], best_match: null });
  });

  it.each([
    ['a body that is not JSON', 'hello', /not valid JSON/],
    ['a body without a query', { reference_embeddings: [] }, /^query_embedding: /],
    ['a body without references', { query_embedding: [1] }, /^reference_embeddings: /],
    [
      'references that are neither list nor block',
      { query_embedding: [1], reference_embeddings: {} },
      /^reference_embeddings: /,
    ],
    [
      'a reference without id',
      { query_embedding: [1], reference_embeddings: [{ embedding: [1] }] },
      /^reference_embeddings\[0\]\.id: /,
    ],
    [
      'an id that is not a string',
      { query_embedding: [1], reference_embeddings: [reference(5 as never, [1])] },
      /\.id: /,
    ],
    [
      'an embedding that is neither list nor string',
      { query_embedding: 5, reference_embeddings: [] },
      /^query_embedding: expected an array/,
    ],
    [
      'an unknown metric',
      { query_embedding: [1], reference_embeddings: [], distance_metric: 'dot' },
      /^distance_metric: /,
    ],
    [
      'a threshold out of range',
      { query_embedding: [1], reference_embeddings: [], threshold: 2.5 },
      /^threshold: /,
    ],
    ['a top_k of 0', { query_embedding: [1], reference_embeddings: [], top_k: 0 }, /^top_k: /],
    ['an unknown member', { query_embedding: [1], reference_embeddings: [], limit: 3 }, /limit/],
  ])('refuses %s with INVALID_REQUEST and the name of the field', async (_name, body, detail) => {
    expectRefusal(await compare(body), 400, 'INVALID_REQUEST', detail);
  });

  it.each([null, [], 'text', 5, 'x'.repeat(2000), [['x'.repeat(2000)]]])(
    'refuses a JSON body that is not an object',
    async (body) => {
      const answer = await compare(JSON.stringify(body));
      expect(answer.status).toBe(400);
      expect(answer.body.error_code).toBe('INVALID_REQUEST');
    },
  );

  it.each([
    ['zeros', [0, 0], 'query_embedding has zero norm.'],
    ['null among numbers', [1, null], 'query_embedding has a value that is not a finite number.'],
    ['invalid base64', '*', 'query_embedding is not valid base64.'],
  ])('refuses %s with INVALID_EMBEDDING', async (_name, query_embedding, detail) => {
    const answer = await compare({ query_embedding, reference_embeddings: [] });
    expectRefusal(answer, 422, 'INVALID_EMBEDDING', detail);
  });

  it('refuses embeddings of different spaces', async () => {
    const answer = await compare({
      query_embedding: [1],
      embedding_space: 'buffalo_l:4c06341c33c2',
      reference_embeddings: [reference('a', [1], { embedding_space: 'buffalo_s:9cc6e4a75f0e' })],
    });
    expect(answer.status).toBe(422);
    expect(answer.body.error_code).toBe('EMBEDDING_SPACE_MISMATCH');
  });

  it('refuses too many references and a body that is too large', async () => {
    const many = Array.from({ length: 4 }, (_, i) => reference(`r${i}`, [1]));
    const tooMany = await compare({ query_embedding: [1], reference_embeddings: many });
    expect(tooMany.status).toBe(413);
    expect(tooMany.body).toMatchObject({
      error_code: 'REQUEST_TOO_LARGE',
      detail: '4 references; the limit is 3.',
    });
    const tooLarge = await compare({ query_embedding: Array(3000).fill(1), reference_embeddings: [] });
    expect(tooLarge.body).toMatchObject({
      error_code: 'REQUEST_TOO_LARGE',
      detail: 'The limit is 4096 bytes.',
    });
  });

  it('refuses another media type', async () => {
    const answer = await compare('a=1', { 'Content-Type': 'application/x-www-form-urlencoded' });
    expect(answer.status).toBe(415);
    expect(answer.body.error_code).toBe('UNSUPPORTED_MEDIA_TYPE');
  });

  it('does not quote the body in an error', async () => {
    for (const body of [
      '{"query_embedding": [0.12345',
      { query_embedding: ['0.12345'], reference_embeddings: [] },
    ]) {
      expect(JSON.stringify((await compare(body)).body)).not.toContain('12345');
    }
  });
});
