import { afterAll, beforeAll } from 'vitest';
import type { InferenceEngine } from '../../../src/engine/inference-engine.ts';
import { encodeEmbedding } from '../../../src/similarity/embedding.ts';
import { startEngine, testConfig } from '../../support/engine/engines.ts';
import { type Answer, answerOf } from '../../support/http/answer.ts';
import { assembleApp } from '../../support/http/app.ts';
import { seededRandom } from '../../support/numbers.ts';
import { blankPng, blobsPng } from '../../support/pictures.ts';

export const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** Pictures with one face each, and one without a face. */
export const picture = base64(await blobsPng(1));
export const other = base64(await blobsPng(2));
export const blank = base64(await blankPng());

export const config = testConfig({
  WORKERS: '2',
  MAX_BATCH_SIZE: '4',
  MAX_IMAGE_SIZE: '200000',
  MAX_REQUEST_SIZE: '2000000',
});

type Assembled = ReturnType<typeof assembleApp>;

/**
 * Runs the real engine with the synthetic pack for the tests of a file: only the weights differ from production.
 *
 * @returns an object that is filled before the first test.
 */
export function usePictureService() {
  const service = {} as { engine: InferenceEngine; assembled: Assembled };
  beforeAll(async () => {
    service.engine = await startEngine(config);
    service.assembled = assembleApp(config, service.engine);
  });
  afterAll(() => Promise.all([service.engine.close(), service.assembled.json.close()]));
  return service;
}

export async function post({ app }: Pick<Assembled, 'app'>, path: string, body: unknown): Promise<Answer> {
  const headers = { 'Content-Type': 'application/json' };
  return answerOf(await app.request(path, { method: 'POST', headers, body: JSON.stringify(body) }));
}

/** References with random embeddings of 512 numbers. */
export function randomEmbeddings(count: number) {
  const random = seededRandom(count);
  return Array.from({ length: count }, (_, i) => ({
    id: `random_${i}`,
    embedding: encodeEmbedding(
      Float32Array.from({ length: 512 }, () => random() - 0.5),
      'base64',
    ),
  }));
}
