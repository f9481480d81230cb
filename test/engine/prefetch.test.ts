import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { startEngine, testConfig } from '../support/engine/engines.ts';
import type { Answer } from '../support/http/answer.ts';
import { imageSender } from '../support/http/app.ts';
import { blankPng, blobsPng } from '../support/pictures.ts';

describe.each([1, 2])('an engine of %i workers that decode the next image during inference', (workers) => {
  const config = testConfig({
    MAX_QUEUE: '40',
    WORKERS: String(workers),
    REQUEST_TIMEOUT_MS: '120000',
  });
  let engine: InferenceEngine;
  let send: (image: Uint8Array<ArrayBuffer>) => Promise<Answer>;

  beforeAll(async () => {
    engine = await startEngine(config);
    send = imageSender(config, engine);
  });
  afterAll(() => engine?.close());

  it('answers each request as if it were the only one, to the bit, and fails only invalid images', async () => {
    const images = await Promise.all(
      Array.from({ length: 32 }, async (_, seed) => {
        const image = await (seed % 5 === 3 ? blankPng() : blobsPng(seed, 200 + 10 * seed));
        // Truncated, so that its decoding fails before inference on the image ahead of it ends.
        return seed % 5 === 4 ? image.slice(0, image.length / 2) : image;
      }),
    );
    const single: Answer[] = [];
    for (const image of images) single.push(await send(image));
    const concurrent = await Promise.all(images.map(send));
    expect(concurrent.map(({ status, body }) => body.error_code ?? status)).toEqual(
      images.map((_, seed) => (seed % 5 === 3 ? 'NO_FACE_DETECTED' : seed % 5 === 4 ? 'INVALID_IMAGE' : 200)),
    );
    const withoutRequestId = ({ body: { request_id: _, ...body } }: Answer) => body;
    expect(concurrent.map(withoutRequestId)).toEqual(single.map(withoutRequestId));
    expect(engine.load).toMatchObject({ processing: 0, queued: 0, busy: 0, alive: workers, restarted: 0 });
  });

  it('has no further place for the image that is decoded early', () => {
    expect(engine.load.capacity).toBe(workers + 40);
  });
});
