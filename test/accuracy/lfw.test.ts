import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { rankReferences } from '../../src/similarity/compare.ts';
import { embed, startRealEngine } from '../support/real-engine.ts';
import { FACES, hasRealWeights, photo } from '../support/shared.ts';

describe.skipIf(!hasRealWeights)('300 pairs of Labeled Faces in the Wild', () => {
  let engine: InferenceEngine;
  beforeAll(async () => {
    engine = await startRealEngine();
  });
  afterAll(() => engine?.close());

  it('are told apart with an accuracy of at least 0.99 at the best threshold', async () => {
    const [, ...lines] = readFileSync(join(FACES, 'lfw', 'pairs.csv'), 'utf8')
      .trim()
      .split('\n');
    const pairs = lines.map((line) => {
      const [a, b, same] = line.trim().split(',') as [string, string, string];
      return { a, b, same: same === '1' };
    });
    expect(pairs).toHaveLength(300);

    const files = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))];
    const embeddings = new Map(
      await Promise.all(
        files.map(async (file) => {
          const { faces } = await embed(engine, photo(`lfw/${file}`), 'largest');
          return [file, Array.from(faces[0]?.embedding ?? [])] as const;
        }),
      ),
    );
    const distances = pairs.map(({ a, b, same }) => {
      const { best_match } = rankReferences({
        query_embedding: embeddings.get(a) as number[],
        reference_embeddings: [{ id: b, embedding: embeddings.get(b) as number[] }],
        distance_metric: 'cosine',
      });
      return { distance: best_match?.distance ?? 2, same };
    });

    const accuracyAt = (threshold: number) =>
      distances.filter(({ distance, same }) => distance <= threshold === same).length / distances.length;
    const best = distances
      .map(({ distance }) => ({ threshold: distance, accuracy: accuracyAt(distance) }))
      .reduce((p, q) => (q.accuracy > p.accuracy ? q : p));
    const wrong = distances.filter(({ distance, same }) => distance <= best.threshold !== same).length;
    console.log(
      `LFW: accuracy ${best.accuracy.toFixed(4)} (${wrong} of ${pairs.length} wrong) ` +
        `at cosine distance ${best.threshold.toFixed(4)}`,
    );
    expect(best.accuracy).toBeGreaterThanOrEqual(0.99);
  });
});
