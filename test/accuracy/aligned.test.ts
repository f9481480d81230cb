import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { testConfig } from '../support/engine/engines.ts';
import { startRealEngine } from '../support/engine/real-engine.ts';
import { answerOf } from '../support/http/answer.ts';
import { assembleApp } from '../support/http/app.ts';
import { hasRealWeights, photo } from '../support/shared.ts';

const PHOTOS = ['lfw/Al_Gore_0002.jpg', 'lfw/Amelie_Mauresmo_0003.jpg', 'insightface/Tom_Hanks_54745.png'];

describe.skipIf(!hasRealWeights)(
  'a face that goes out as return_face and comes back with aligned=true',
  () => {
    let engine: InferenceEngine;
    let assembled: ReturnType<typeof assembleApp>;

    beforeAll(async () => {
      engine = await startRealEngine();
      assembled = assembleApp(testConfig({ WORKERS: '2' }), engine);
    });
    afterAll(() => Promise.all([engine?.close(), assembled?.json.close()]));

    const embed = async (body: object) => {
      const headers = { 'Content-Type': 'application/json' };
      const init = { method: 'POST', headers, body: JSON.stringify(body) };
      return (await answerOf(await assembled.app.request('/v1/embed', init))).body;
    };
    const dot = (p: number[], q: number[]) => p.reduce((sum, value, i) => sum + value * (q[i] as number), 0);

    it.each(PHOTOS)('has the same embedding as PNG, and nearly the same as JPEG: %s', async (path) => {
      const image = Buffer.from(photo(path)).toString('base64');
      const png = await embed({ image, faces: 'largest', return_face: true, face_format: 'png' });
      const back = await embed({ image: png.face_image, aligned: true });
      expect(back.embedding).toEqual(png.embedding);
      expect(back.quality.embedding_norm).toBe(png.quality.embedding_norm);

      const jpeg = await embed({ image, faces: 'largest', return_face: true });
      const lossy = await embed({ image: jpeg.face_image, aligned: true });
      expect(lossy.embedding).not.toEqual(jpeg.embedding);
      expect(dot(lossy.embedding, jpeg.embedding)).toBeGreaterThan(0.97);
    });
  },
);
