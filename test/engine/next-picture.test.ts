import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { imageSender } from '../support/app.ts';
import { startEngine, testConfig } from '../support/engines.ts';
import type { Answer } from '../support/http.ts';
import { blankPng, blobsPng } from '../support/pictures.ts';

describe.each([1, 2])('%i workers that decode the next picture while they look at one', (workers) => {
  const config = testConfig({ MAX_QUEUE: '40', WORKERS: String(workers) });
  let engine: InferenceEngine;
  let send: (image: Uint8Array<ArrayBuffer>) => Promise<Answer>;

  beforeAll(async () => {
    engine = await startEngine(config);
    send = imageSender(config, engine);
  });
  afterAll(() => engine?.close());

  it('give each its own answer, to the bit, and fail the bad ones alone', async () => {
    const images = await Promise.all(
      Array.from({ length: 32 }, async (_, seed) => {
        const image = await (seed % 5 === 3 ? blankPng() : blobsPng(seed, 200 + 10 * seed));
        // Broken in the middle: its decoding fails before the picture in front of it is done.
        return seed % 5 === 4 ? image.slice(0, image.length / 2) : image;
      }),
    );
    const oneByOne: Answer[] = [];
    for (const image of images) oneByOne.push(await send(image));
    const together = await Promise.all(images.map(send));
    expect(together.map(({ status, body }) => body.error_code ?? status)).toEqual(
      images.map((_, seed) => (seed % 5 === 3 ? 'NO_FACE_DETECTED' : seed % 5 === 4 ? 'INVALID_IMAGE' : 200)),
    );
    const answerBut = ({ body: { request_id: _, ...body } }: Answer) => body;
    expect(together.map(answerBut)).toEqual(oneByOne.map(answerBut));
    expect(engine.load).toMatchObject({ processing: 0, queued: 0, busy: 0, alive: workers, restarted: 0 });
  });

  it('have no place more for it', () => {
    expect(engine.load.capacity).toBe(workers + 40);
  });
});
