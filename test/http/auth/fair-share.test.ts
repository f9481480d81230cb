import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../../src/engine/inference-engine.ts';
import { startEngine, testConfig } from '../../support/engine/engines.ts';
import { assembleApp } from '../../support/http/app.ts';
import { seriesValue } from '../../support/http/metric.ts';
import { blobsPng } from '../../support/pictures.ts';

const [NOISY, QUIET] = ['correct-horse-battery-staple', 'another-key-0123456789'];
const config = testConfig({
  API_KEYS: `noisy=${NOISY},quiet=${QUIET}`,
  MAX_QUEUE: '4',
  REQUEST_TIMEOUT_MS: '300000',
});
const CAPACITY = 5;
/** Requests of the noisy caller that are open at a time. */
const NOISE = 10;

let engine: InferenceEngine;
let app: ReturnType<typeof assembleApp>['app'];
let picture: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  [engine, picture] = await Promise.all([startEngine(config), blobsPng(1)]);
  ({ app } = assembleApp(config, engine));
});
afterAll(() => engine.close());

async function embed(key: string, images = 1): Promise<number> {
  const body = new FormData();
  for (let i = 0; i < images; i++) body.append('image', new Blob([picture]));
  const response = await app.request('/v1/embed', { method: 'POST', headers: { 'X-API-Key': key }, body });
  await response.arrayBuffer();
  return response.status;
}

/** A comparison that is too large for the service's main thread. */
const HEAVY = JSON.stringify({
  query_embedding: [1, 0],
  reference_embeddings: Array.from({ length: 5_000 }, (_, i) => ({
    id: `reference ${i}`,
    embedding: [i, 1],
  })),
  top_k: 1,
});

async function compare(key: string): Promise<number> {
  const headers = { 'X-API-Key': key, 'Content-Type': 'application/json' };
  return (await app.request('/v1/compare', { method: 'POST', headers, body: HEAVY })).status;
}

/** Sends without a pause until it is told to stop; returns how often each status came. */
function makeNoise(send: () => Promise<number>): () => Promise<Record<number, number>> {
  let going = true;
  const statuses: Record<number, number> = {};
  const call = async () => {
    while (going) {
      const status = await send();
      statuses[status] = (statuses[status] ?? 0) + 1;
      // A refusal is immediate, and this thread is also the service's.
      if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const calls = Array.from({ length: NOISE }, call);
  return async () => {
    going = false;
    await Promise.all(calls);
    return statuses;
  };
}

describe('a caller that sends more than the service can do', () => {
  it.each([
    ['single images', 1],
    ['batches that fill the queue', CAPACITY],
  ])('(%s) gets the refusals, and another caller none', async (_, images) => {
    const stop = makeNoise(() => embed(NOISY, images));
    await expect.poll(() => engine.load.admitted).toBe(CAPACITY);
    const quiet: number[] = [];
    for (let i = 0; i < 3; i++) quiet.push(...(await Promise.all([embed(QUIET), embed(QUIET)])));
    const noisy = await stop();
    expect(quiet).toEqual(quiet.map(() => 200));
    expect(noisy[503]).toBeGreaterThan(0);
    expect(noisy[200]).toBeGreaterThan(0);
    expect(engine.load.admitted).toBe(0);
  });

  it('(large comparisons) gets the refusals, and another caller none', async () => {
    const stop = makeNoise(() => compare(NOISY));
    const quiet: number[] = [];
    for (let i = 0; i < 10; i++) quiet.push(await compare(QUIET));
    const noisy = await stop();
    expect(quiet).toEqual(quiet.map(() => 200));
    expect(noisy[503]).toBeGreaterThan(0);
    expect(noisy[200]).toBeGreaterThan(0);
  });

  it('(uploads that never end) gets the refusals, and another caller none', async () => {
    const few = assembleApp(testConfig({ API_KEYS: config.API_KEYS, MAX_UPLOADS: '4' }), engine);
    const upload = (key: string, body: ReadableStream | Uint8Array<ArrayBuffer>) => {
      const headers = { 'X-API-Key': key, 'Content-Type': 'image/png' };
      return few.app.request('/v1/embed', { method: 'POST', headers, body, duplex: 'half' } as RequestInit);
    };
    const endless = () => new ReadableStream({ pull: () => new Promise(() => {}) });
    for (let i = 0; i < 4; i++) void upload(NOISY, endless());
    await expect.poll(() => few.uploads.taken).toBe(4);
    expect((await upload(NOISY, endless())).status).toBe(503);
    for (let i = 0; i < 3; i++) expect((await upload(QUIET, picture.slice())).status).toBe(200);
  });

  it('is named by the metrics', async () => {
    const metrics = await (await app.request('/metrics', { headers: { 'X-API-Key': QUIET } })).text();
    const requests = (key: string, code: string) =>
      seriesValue(metrics, `face_key_requests_total{key="${key}",error_code="${code}"}`) ?? 0;
    expect(requests('quiet', '')).toBe(22);
    expect(requests('quiet', 'OVERLOADED')).toBe(0);
    expect(requests('noisy', 'OVERLOADED')).toBeGreaterThan(0);
    expect(seriesValue(metrics, 'face_key_images_total{key="quiet"}')).toBe(12);
  });

  it('has all places when it is alone', async () => {
    // The uploads that never end count as callers whose images are on their way for a quarter of a second.
    await sleep(300);
    const statuses = await Promise.all(Array.from({ length: 8 }, () => embed(NOISY)));
    expect(statuses.filter((status) => status === 200)).toHaveLength(CAPACITY);
  });
});
