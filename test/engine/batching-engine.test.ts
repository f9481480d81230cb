import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { imageSender } from '../support/app.ts';
import { startEngine, testConfig } from '../support/engines.ts';
import type { Answer } from '../support/http.ts';
import { cosine } from '../support/numbers.ts';
import { blankPng, blobsPng } from '../support/pictures.ts';

/** The engine as a GPU has it, on the CPU. */
describe('one worker with several images at work', () => {
  const config = testConfig({ MAX_QUEUE: '30' });
  let engine: InferenceEngine;
  let send: (image: Uint8Array<ArrayBuffer>) => Promise<Answer>;

  beforeAll(async () => {
    engine = await startEngine(config, { imagesPerWorker: 6, batching: { windowMs: 20, most: 4 } });
    send = imageSender(config, engine);
  });
  afterAll(() => engine?.close());

  it('answers each request about its own image, and fails the bad ones alone', async () => {
    const images = await Promise.all(
      Array.from({ length: 18 }, (_, seed) =>
        seed % 6 === 5 ? blankPng() : blobsPng(seed, 200 + 10 * seed),
      ),
    );
    const oneByOne: Answer[] = [];
    for (const image of images) oneByOne.push(await send(image));

    let most = { processing: 0, busy: 0 };
    const watch = setInterval(() => {
      const { processing, busy } = engine.load;
      most = { processing: Math.max(most.processing, processing), busy: Math.max(most.busy, busy) };
    }, 1);
    const together = await Promise.all(images.map(send));
    clearInterval(watch);

    for (const [index, { status, body }] of together.entries()) {
      const wanted = oneByOne[index] as Answer;
      expect(status).toBe(index % 6 === 5 ? 422 : 200);
      expect(status).toBe(wanted.status);
      if (status !== 200) continue;
      expect(body.image).toEqual(wanted.body.image);
      expect(body.bbox).toEqual(wanted.body.bbox);
      expect(cosine(body.embedding, wanted.body.embedding)).toBeGreaterThan(1 - 1e-6);
    }
    expect(most).toEqual({ processing: 6, busy: 1 });
    expect(engine.load).toMatchObject({ processing: 0, queued: 0, busy: 0, alive: 1, restarted: 0 });
  });

  it('has a place for each image that is at work or waits, and no more', () => {
    expect(engine.load.capacity).toBe(6 + 30);
    const admission = engine.admit(36);
    expect(() => engine.admit(1)).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
    admission.release();
  });
});
