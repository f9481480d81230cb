import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import type { DetectionMode } from '../../src/vision/detect/selection.ts';
import type { EmbeddedFace } from '../../src/vision/embed-face.ts';
import { embed, startRealEngine } from '../support/engine/real-engine.ts';
import { bestThreshold, readPairs, tarAtFar } from '../support/lfw.ts';
import { hasOpenWeights, OPEN_PACK, photo } from '../support/shared.ts';

describe.skipIf(!hasOpenWeights)(
  '558 photographs of Labeled Faces in the Wild with YuNet and retail-0095',
  () => {
    const pairs = hasOpenWeights ? readPairs() : [];
    const faces = new Map<DetectionMode, Map<string, EmbeddedFace>>();
    let engine: InferenceEngine;

    beforeAll(async () => {
      engine = await startRealEngine({ MODEL_NAME: OPEN_PACK });
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

    it.each(['full', 'fast'] as const)('are told apart, detection=%s', (mode) => {
      const found = faces.get(mode) as Map<string, EmbeddedFace>;
      expect(found.size).toBe(558);
      expect(pairs).toHaveLength(300);
      const { accuracy, threshold } = bestThreshold(pairs, found);
      const tar = tarAtFar(found, 0.001);
      console.log(
        `LFW, ${OPEN_PACK}, detection=${mode}: accuracy ${accuracy.toFixed(4)} at cosine distance ${threshold.toFixed(4)}, ` +
          `TAR ${(100 * tar).toFixed(2)} % at a FAR of 0.1 %`,
      );
      expect(accuracy).toBeGreaterThanOrEqual(0.995);
      expect(tar).toBeGreaterThanOrEqual(0.97);
    });
  },
);
