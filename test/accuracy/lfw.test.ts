import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import type { DetectionMode } from '../../src/vision/detect/selection.ts';
import type { EmbeddedFace } from '../../src/vision/embed-face.ts';
import { embed, startRealEngine } from '../support/engine/real-engine.ts';
import { bestThreshold, readPairs } from '../support/lfw.ts';
import { cosine, quantile } from '../support/numbers.ts';
import { overlap } from '../support/overlap.ts';
import { hasRealWeights, photo } from '../support/shared.ts';

describe.skipIf(!hasRealWeights)('300 pairs of Labeled Faces in the Wild', () => {
  const pairs = hasRealWeights ? readPairs() : [];
  const faces = new Map<DetectionMode, Map<string, EmbeddedFace>>();
  let engine: InferenceEngine;

  beforeAll(async () => {
    engine = await startRealEngine();
    const files = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))];
    for (const mode of ['full', 'fast'] as const) {
      const found = files.map(async (file) => {
        const answer = await embed(engine, photo(`lfw/${file}`), 'largest', mode);
        return [file, answer.faces[0] as EmbeddedFace] as const;
      });
      faces.set(mode, new Map(await Promise.all(found)));
    }
  }, 600_000);
  afterAll(() => engine?.close());

  it.each(['full', 'fast'] as const)(
    'are verified with an accuracy of at least 0.99 at the best threshold, detection=%s',
    (mode) => {
      expect(pairs).toHaveLength(300);
      const { accuracy, threshold } = bestThreshold(pairs, faces.get(mode) as Map<string, EmbeddedFace>);
      const wrong = Math.round((1 - accuracy) * pairs.length);
      console.log(
        `LFW, detection=${mode}: accuracy ${accuracy.toFixed(4)} (${wrong} of ${pairs.length} wrong) ` +
          `at cosine distance ${threshold.toFixed(4)}`,
      );
      expect(accuracy).toBeGreaterThanOrEqual(0.99);
    },
  );

  it('give the same face with fast and full detection, and nearly always the same embedding', () => {
    const compared = [...(faces.get('full') ?? [])].map(([file, full]) => {
      const fast = faces.get('fast')?.get(file) as EmbeddedFace;
      return { overlap: overlap(full.box, fast.box), cosine: cosine(full.embedding, fast.embedding) };
    });
    const others = compared.filter((one) => one.overlap < 0.5).length;
    const changed = compared.filter((one) => one.cosine < 0.999999).length;
    const cosines = compared.map((one) => one.cosine).sort((p, q) => p - q);
    console.log(
      `fast beside full, ${compared.length} photographs: another face in ${others}, changed embeddings ${changed} ` +
        `(${((100 * changed) / compared.length).toFixed(1)} %), minimum cosine ${quantile(cosines, 0).toFixed(4)}`,
    );
    expect(others / compared.length).toBeLessThan(0.005);
    expect(changed / compared.length).toBeLessThan(0.03);
  });
});
