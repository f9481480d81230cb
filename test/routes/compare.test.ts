import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../src/errors.ts';
import { encodeEmbedding } from '../../src/similarity/embedding.ts';
import { assembleApp } from '../support/app.ts';
import { TinyEngine, testConfig } from '../support/engines.ts';
import { answerOf } from '../support/http.ts';

// No model: comparing needs none.
const engine = new TinyEngine({ phase: 'unavailable', reason: '' }, () => {
  throw new ServiceError('MODEL_NOT_LOADED');
});
const config = testConfig({ MAX_REFERENCES: '3', MAX_IMAGE_SIZE: '1024', MAX_REQUEST_SIZE: '4096' });
const { app } = assembleApp(config, engine);

async function compare(body: unknown, type = 'application/json', query = '') {
  return answerOf(
    await app.request(`/v1/compare${query}`, {
      method: 'POST',
      headers: { 'Content-Type': type },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  );
}

const reference = (id: string, embedding: unknown, more = {}) => ({ id, embedding, ...more });

describe('POST /v1/compare', () => {
  it('ranks as the contract says', async () => {
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

  it('takes cosine by default and gives no verdict without a threshold', async () => {
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
    const inQuery = (query: string, more = {}) => compare({ ...body, ...more }, 'application/json', query);
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
      const refused = await inQuery(query, { top_k: 1 });
      expect(refused.status).toBe(400);
      expect(refused.body).toMatchObject({
        error_code: 'INVALID_REQUEST',
        detail: expect.stringMatching(detail),
      });
    }
  });

  it('mixes base64 and numbers', async () => {
    const base64 = encodeEmbedding(Float32Array.of(3, 4), 'base64');
    const { body } = await compare({
      query_embedding: base64,
      reference_embeddings: [reference('a', [0.6, 0.8])],
    });
    expect(body.best_match.distance).toBeCloseTo(0, 12);
  });

  it('answers an empty list', async () => {
    const { body } = await compare({ query_embedding: [1], reference_embeddings: [] });
    expect(body).toMatchObject({ matches: [], best_match: null });
  });

  it.each([
    ['no JSON', 'hello', /not valid JSON/],
    ['no query', { reference_embeddings: [] }, /^query_embedding: /],
    ['no references', { query_embedding: [1] }, /^reference_embeddings: /],
    [
      'references that are no list',
      { query_embedding: [1], reference_embeddings: {} },
      /^reference_embeddings: /,
    ],
    [
      'a reference without id',
      { query_embedding: [1], reference_embeddings: [{ embedding: [1] }] },
      /^reference_embeddings\[0\]\.id: /,
    ],
    [
      'an id that is no text',
      { query_embedding: [1], reference_embeddings: [reference(5 as never, [1])] },
      /\.id: /,
    ],
    [
      'an embedding of another kind',
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
  ])('refuses %s: INVALID_REQUEST', async (_name, body, detail) => {
    const answer = await compare(body);
    expect(answer.body).toMatchObject({
      error_code: 'INVALID_REQUEST',
      detail: expect.stringMatching(detail),
    });
    expect(answer.status).toBe(400);
  });

  it.each([
    ['zeros', [0, 0], 'query_embedding has zero norm.'],
    ['null among numbers', [1, null], 'query_embedding has a value that is not a finite number.'],
    ['no base64', '*', 'query_embedding is not valid base64.'],
  ])('refuses %s: INVALID_EMBEDDING', async (_name, query_embedding, detail) => {
    const answer = await compare({ query_embedding, reference_embeddings: [] });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ error_code: 'INVALID_EMBEDDING', detail });
  });

  it('refuses embeddings of two spaces', async () => {
    const answer = await compare({
      query_embedding: [1],
      embedding_space: 'buffalo_l:4c06341c33c2',
      reference_embeddings: [reference('a', [1], { embedding_space: 'buffalo_s:9cc6e4a75f0e' })],
    });
    expect(answer.status).toBe(422);
    expect(answer.body.error_code).toBe('EMBEDDING_SPACE_MISMATCH');
  });

  it('refuses too many references and too large a body', async () => {
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
    const answer = await compare('a=1', 'application/x-www-form-urlencoded');
    expect(answer.status).toBe(415);
    expect(answer.body.error_code).toBe('UNSUPPORTED_MEDIA_TYPE');
  });

  it('never quotes what was sent', async () => {
    for (const body of [
      '{"query_embedding": [0.12345',
      { query_embedding: ['0.12345'], reference_embeddings: [] },
    ]) {
      expect(JSON.stringify((await compare(body)).body)).not.toContain('12345');
    }
  });
});
