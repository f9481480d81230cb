import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import type { EmbeddedFace } from '../../src/vision/embed-face.ts';
import { embed, startRealEngine } from '../support/engine/real-engine.ts';
import { LITE, liteModels } from '../support/packs/lite-models.ts';
import { FACES, hasRealWeights, photo } from '../support/shared.ts';

const modelsDir = hasRealWeights ? await liteModels() : undefined;

describe.skipIf(modelsDir === undefined)(`the pack ${LITE} on Labeled Faces in the Wild`, () => {
  const files = hasRealWeights ? readdirSync(join(FACES, 'lfw')).filter((file) => file.endsWith('.jpg')) : [];
  const embeddings = new Map<string, Float32Array>();
  let engine: InferenceEngine;

  beforeAll(async () => {
    engine = await startRealEngine({ MODEL_NAME: LITE, MODELS_DIR: modelsDir as string });
    await Promise.all(
      files.map(async (file) => {
        const answer = await embed(engine, photo(`lfw/${file}`), 'largest').catch(() => undefined);
        if (answer) embeddings.set(file, (answer.faces[0] as EmbeddedFace).embedding);
      }),
    );
  }, 600_000);
  afterAll(() => engine?.close());

  it('finds a face in at least 99 of 100 photographs', () => {
    console.log(`${embeddings.size} of ${files.length} photographs`);
    expect(files).toHaveLength(558);
    expect(embeddings.size / files.length).toBeGreaterThanOrEqual(0.99);
  });

  it('verifies 300 pairs with an accuracy of at least 0.985 at the best threshold', () => {
    const [, ...lines] = readFileSync(join(FACES, 'lfw', 'pairs.csv'), 'utf8')
      .trim()
      .split('\n');
    const pairs = lines.map((line) => {
      const [a, b, same] = line.trim().split(',') as [string, string, string];
      return { similarity: similarity(a, b), same: same === '1' };
    });
    const accuracyAt = (threshold: number) =>
      pairs.filter((pair) => pair.similarity >= threshold === pair.same).length / pairs.length;
    const accuracy = Math.max(...pairs.map((pair) => accuracyAt(pair.similarity)));
    console.log(`${pairs.length} pairs: accuracy ${accuracy.toFixed(4)}`);
    expect(pairs).toHaveLength(300);
    expect(accuracy).toBeGreaterThanOrEqual(0.985);
  });

  it('accepts at least 97 of 100 genuine pairs of all photographs at a false accept rate of 0.1 %', () => {
    const genuine: number[] = [];
    const impostors: number[] = [];
    for (const [index, a] of files.entries()) {
      for (const b of files.slice(index + 1))
        (personOf(a) === personOf(b) ? genuine : impostors).push(similarity(a, b));
    }
    impostors.sort((p, q) => q - p);
    const tarAt = (far: number) => {
      const threshold = impostors[Math.floor(far * impostors.length)] as number;
      return genuine.filter((value) => value > threshold).length / genuine.length;
    };
    const tars = [0.01, 0.001, 0.0001].map((far) => (100 * tarAt(far)).toFixed(1));
    console.log(`${genuine.length} genuine pairs: TAR ${tars.join(' / ')} % at FAR 1 / 0.1 / 0.01 %`);
    expect(genuine.length).toBeGreaterThan(200);
    expect(tarAt(0.001)).toBeGreaterThanOrEqual(0.97);
  });

  /** Of photographs in which no face was found, -1. */
  function similarity(a: string, b: string): number {
    const [p, q] = [embeddings.get(a), embeddings.get(b)];
    if (p === undefined || q === undefined) return -1;
    return p.reduce((sum, value, i) => sum + value * (q[i] as number), 0);
  }
});

/** Files are named after the person and a number. */
const personOf = (file: string) => file.slice(0, file.lastIndexOf('_'));
