import { afterAll, expect } from 'vitest';
import { ServiceError } from '../../../src/errors.ts';
import { encodeEmbedding } from '../../../src/similarity/embedding.ts';
import { TinyEngine, testConfig } from '../../support/engine/engines.ts';
import { type Answer, answerOf } from '../../support/http/answer.ts';
import { assembleApp } from '../../support/http/app.ts';
import { seededRandom } from '../../support/numbers.ts';

type App = ReturnType<typeof assembleApp>['app'];

/** An engine without a model: comparing embeddings needs none. */
export const engineWithoutModel = new TinyEngine({ phase: 'unavailable', reason: '' }, () => {
  throw new ServiceError('MODEL_NOT_LOADED');
});

/** Posts to `/v1/compare`. @param body a string is sent as it is, anything else as JSON. */
export async function postCompare(
  app: App,
  body: unknown,
  headers: Record<string, string> = {},
  query = '',
): Promise<Answer> {
  return answerOf(
    await app.request(`/v1/compare${query}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  );
}

/** Compares embeddings, within limits that small requests reach, until the tests of a file have run. */
export function useLimitedCompare() {
  const config = testConfig({
    MAX_REFERENCES: '200',
    MAX_COMPARISONS: '600',
    MAX_IMAGE_SIZE: '1024',
    MAX_REQUEST_SIZE: '250000',
  });
  const { app, json } = assembleApp(config, engineWithoutModel);
  afterAll(() => json.close());
  return (body: unknown) => postCompare(app, body);
}

/** @param detail the whole detail, or what it matches. */
export function expectRefusal(answer: Answer, status: number, code: string, detail: string | RegExp): void {
  expect(answer.body).toMatchObject({
    error_code: code,
    detail: typeof detail === 'string' ? detail : expect.stringMatching(detail),
  });
  expect(answer.status).toBe(status);
}

export function vectors(count: number, length = 4, seed = count): Float32Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length }, () => random() - 0.5));
}

export const base64 = (vector: Float32Array) => encodeEmbedding(vector, 'base64') as string;

/** Embeddings in one text. */
export const block = (rows: readonly Float32Array[], prefix = 'r') => ({
  ids: rows.map((_, i) => `${prefix}${i}`),
  embeddings: base64(Float32Array.from(rows.flatMap((row) => [...row]))),
});

/** The same embeddings as a list. */
export const list = (rows: readonly Float32Array[], prefix = 'r') =>
  rows.map((row, i) => ({ id: `${prefix}${i}`, embedding: base64(row) }));
