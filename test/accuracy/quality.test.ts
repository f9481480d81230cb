import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { testConfig } from '../support/engine/engines.ts';
import { startRealEngine } from '../support/engine/real-engine.ts';
import { answerOf } from '../support/http/answer.ts';
import { assembleApp } from '../support/http/app.ts';
import { hasRealWeights, photo } from '../support/shared.ts';

describe.skipIf(!hasRealWeights)('the quality score of photographs', () => {
  const portrait = hasRealWeights ? photo('insightface/Tom_Hanks_54745.png') : new Uint8Array();
  let engine: InferenceEngine;
  let app: ReturnType<typeof assembleApp>['app'];

  beforeAll(async () => {
    engine = await startRealEngine();
    ({ app } = assembleApp(testConfig(), engine));
  });
  afterAll(() => engine?.close());

  async function send(bytes: Uint8Array, query = '') {
    const headers = { 'Content-Type': 'image/png' };
    return answerOf(
      await app.request(`/v1/embed${query}`, { method: 'POST', headers, body: new Uint8Array(bytes) }),
    );
  }

  it('is high for a good portrait', async () => {
    const { quality } = (await send(portrait)).body;
    expect(quality.score).toBeGreaterThan(0.9);
    expect((await send(portrait, '?min_quality=0.9&min_face_size=60')).status).toBe(200);
  });

  it.each([
    ['too dark', () => sharp(portrait).linear(0.08, 0)],
    ['too blurred', () => sharp(portrait).blur(4)],
    ['low contrast', () => sharp(portrait).linear(0.1, 115)],
    ['too bright', () => sharp(portrait).linear(2.6, 0)],
    ['come closer', () => sharp(portrait).resize({ width: 24 })],
  ])('falls for a degraded portrait, with the reason "%s"', async (reason, degrade) => {
    const degraded = await degrade().removeAlpha().png().toBuffer();
    const [before, after] = [await send(portrait), await send(degraded)];
    expect(after.body.quality.score).toBeLessThan(before.body.quality.score - 0.1);
    expect(after.body.quality.embedding_norm).toBeLessThan(before.body.quality.embedding_norm);
    const { status, body } = await send(degraded, '?min_quality=0.9');
    expect(status).toBe(422);
    expect(body.error_code).toBe('LOW_QUALITY');
    expect(body.detail.split(', ')).toContain(reason);
  });

  it.each([
    'insightface/Tom_Hanks_54745.png',
    // Bright and rich in contrast: at a twentieth of the light, it still matches its person.
    'lfw/Elvis_Presley_0001.jpg',
  ])('falls with the light, and is below 0.8 at a twentieth of it: %s', async (path) => {
    const darkened = (gain: number) => sharp(photo(path)).removeAlpha().linear(gain, 0);
    const scores: number[] = [];
    for (const gain of [1, 0.2, 0.1, 0.05]) {
      const { body } = await send(await darkened(gain).png().toBuffer());
      scores.push(body.quality.score);
    }
    expect(scores).toEqual(scores.toSorted((p, q) => q - p));
    for (const bytes of [
      await darkened(0.05).png().toBuffer(),
      await darkened(0.05).jpeg({ quality: 90 }).toBuffer(),
    ]) {
      const { status, body } = await send(bytes, '?min_quality=0.8');
      expect(status).toBe(422);
      expect(body).toMatchObject({ error_code: 'LOW_QUALITY', detail: expect.stringMatching(/^too dark/) });
      expect(body.reasons[0]).toBe('TOO_DARK');
      expect(body.quality.score).toBeLessThan(0.6);
    }
  });

  it('marks the small faces of a group photograph and embeds the others', async () => {
    const group = photo('insightface/t1.jpg');
    const { faces } = (await send(group, '?faces=all')).body;
    const sizes = faces.map((face: { quality: { size: number } }) => face.quality.size);
    const limit = sizes.toSorted((a: number, b: number) => a - b)[2] + 0.5;
    const marked = (await send(group, `?faces=all&min_face_size=${limit}`)).body.faces;
    expect(marked.filter((face: object) => 'low_quality' in face)).toHaveLength(3);
    for (const [index, face] of marked.entries()) {
      expect(face.bbox).toEqual(faces[index].bbox);
      if (sizes[index] < limit) expect(face.low_quality).toEqual(['come closer']);
      else expect(face).toEqual(faces[index]);
    }
  });
});
