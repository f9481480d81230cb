import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { testConfig } from '../support/engine/engines.ts';
import { startRealEngine } from '../support/engine/real-engine.ts';
import { type Answer, answerOf } from '../support/http/answer.ts';
import { assembleApp } from '../support/http/app.ts';
import { FACES, hasRealWeights, photo } from '../support/shared.ts';

/** test/routes/embed/batch.test.ts does the same with generated pictures and the synthetic pack. */
describe.skipIf(!hasRealWeights)('photographs in batches and in single requests', () => {
  const PEOPLE = 16;
  let engine: InferenceEngine;
  let app: ReturnType<typeof assembleApp>['app'];
  let images: string[];
  let expected: Answer['body'][];

  const post = async (body: unknown) =>
    answerOf(
      await app.request('/v1/embed', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
    );

  const options = { faces: 'largest', encoding_format: 'base64' };

  beforeAll(async () => {
    engine = await startRealEngine();
    ({ app } = assembleApp(testConfig({ WORKERS: '2', MAX_QUEUE: '2000' }), engine));
    const files = readdirSync(join(FACES, 'lfw'))
      .filter((name) => name.endsWith('_0001.jpg'))
      .slice(0, PEOPLE);
    images = files.map((file) => Buffer.from(photo(`lfw/${file}`)).toString('base64'));
    // One after the other, so that no two can be mixed up.
    expected = [];
    for (const image of images) {
      const { model, ...body } = (await post({ image, ...options })).body;
      expect(model.name).toBe('buffalo_sc_dq');
      expected.push(body);
    }
    expect(new Set(expected.map(({ embedding }) => embedding)).size).toBe(PEOPLE);
  });
  afterAll(() => engine?.close());

  it('get the same result to the last bit, and each request the result of its own photograph', async () => {
    // Strides coprime to the number of photographs: each batch has another order.
    const batches = [1, 3, 5, 7].map((stride) =>
      Array.from({ length: 10 }, (_, i) => (i * stride + stride) % PEOPLE),
    );
    const [batched, singles] = await Promise.all([
      Promise.all(
        [...batches, [4]].map((order) => post({ images: order.map((i) => images[i]), ...options })),
      ),
      Promise.all(images.map((image) => post({ image, ...options }))),
    ]);
    for (const [i, { body }] of singles.entries()) expect(body).toMatchObject(expected[i]);
    for (const [b, { status, body }] of batched.entries()) {
      expect(status).toBe(200);
      expect(body.results).toEqual(
        ([...batches, [4]][b] as number[]).map((i, index) => ({ index, ...expected[i] })),
      );
    }
  });

  it('return every face of a group photograph', async () => {
    const group = Buffer.from(photo('insightface/t1.jpg')).toString('base64');
    const all = { faces: 'all', encoding_format: 'base64' };
    const { model, ...single } = (await post({ image: group, ...all })).body;
    const { body } = await post({ images: [group, images[0], group], ...all });
    expect(single.faces).toHaveLength(6);
    expect(body.results[0]).toEqual({ index: 0, ...single });
    expect(body.results[1].faces[0].embedding).toBe(expected[0].embedding);
    expect(body.results[2]).toEqual({ index: 2, ...single });
    expect(body.model).toEqual(model);
  });
});
