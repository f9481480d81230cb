import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { startEngine, testConfig } from '../support/engine/engines.ts';
import type { Answer } from '../support/http/answer.ts';
import { imageSender } from '../support/http/app.ts';
import { cosine } from '../support/numbers.ts';
import { blankPng, blobsPng } from '../support/pictures.ts';

/** The engine with the concurrency of a GPU, on the CPU. */
describe('a worker that processes several images at a time', () => {
  const config = testConfig({ MAX_QUEUE: '30', REQUEST_TIMEOUT_MS: '120000' });
  let engine: InferenceEngine;
  let send: (image: Uint8Array<ArrayBuffer>) => Promise<Answer>;

  beforeAll(async () => {
    engine = await startEngine(config, { imagesPerWorker: 6, batching: { windowMs: 20, maxFaces: 4 } });
    send = imageSender(config, engine);
  });
  afterAll(() => engine?.close());

  it('answers each request for its own image, and fails only invalid images', async () => {
    const images = await Promise.all(
      Array.from({ length: 18 }, (_, seed) =>
        seed % 6 === 5 ? blankPng() : blobsPng(seed, 200 + 10 * seed),
      ),
    );
    const single: Answer[] = [];
    for (const image of images) single.push(await send(image));

    let peak = { processing: 0, busy: 0 };
    const watch = setInterval(() => {
      const { processing, busy } = engine.load;
      peak = { processing: Math.max(peak.processing, processing), busy: Math.max(peak.busy, busy) };
    }, 1);
    const concurrent = await Promise.all(images.map(send));
    clearInterval(watch);

    for (const [index, { status, body }] of concurrent.entries()) {
      const expected = single[index] as Answer;
      expect(status).toBe(index % 6 === 5 ? 422 : 200);
      expect(status).toBe(expected.status);
      if (status !== 200) continue;
      expect(body.image).toEqual(expected.body.image);
      expect(body.bbox).toEqual(expected.body.bbox);
      expect(cosine(body.embedding, expected.body.embedding)).toBeGreaterThan(1 - 1e-6);
    }
    expect(peak).toEqual({ processing: 6, busy: 1 });
    expect(engine.load).toMatchObject({ processing: 0, queued: 0, busy: 0, alive: 1, restarted: 0 });
  });

  it('has a place for each image that is processed or queued, and no more', () => {
    expect(engine.load.capacity).toBe(6 + 30);
    const admission = engine.admit(36);
    expect(() => engine.admit(1)).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
    admission.release();
  });
});
