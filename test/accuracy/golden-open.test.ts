import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import type { EmbeddedFace } from '../../src/vision/embed-face.ts';
import { embed, startRealEngine } from '../support/engine/real-engine.ts';
import { cosine, quantile } from '../support/numbers.ts';
import { overlap } from '../support/overlap.ts';
import {
  type GoldenFace,
  goldenImages,
  hasOpenWeights,
  OPEN_GOLDEN,
  OPEN_PACK,
  photo,
} from '../support/shared.ts';

/** The size at which OpenCV searched. */
const SIZE = 640;

describe.skipIf(!hasOpenWeights)('parity with OpenCV’s FaceDetectorYN', () => {
  let engine: InferenceEngine;
  let prepared: string;
  let images: { file: string; golden: GoldenFace[]; faces: EmbeddedFace[] }[];
  let pairs: { golden: GoldenFace; face: EmbeddedFace; scale: number }[];

  beforeAll(async () => {
    // As users run it, but for the size.
    prepared = await mkdtemp(join(tmpdir(), 'face-embedding-'));
    engine = await startRealEngine({
      MODEL_NAME: OPEN_PACK,
      DETECTION_SIZES: String(SIZE),
      PREPARED_DIR: prepared,
    });
    images = [];
    pairs = [];
    await Promise.all(
      goldenImages(OPEN_GOLDEN).map(async ({ file, faces: golden, width, height }) => {
        const { faces } = await embed(engine, photo(file), 'all');
        images.push({ file, golden, faces });
        const scale = SIZE / Math.max(width, height);
        for (const one of golden) {
          const [face] = faces.toSorted((a, b) => overlap(one.box, b.box) - overlap(one.box, a.box));
          if (face && overlap(one.box, face.box) > 0.5) pairs.push({ golden: one, face, scale });
        }
      }),
    );
  });
  afterAll(async () => {
    await engine?.close();
    await rm(prepared, { recursive: true, force: true });
  });

  it('finds every face that it finds, and no other', () => {
    const others = images.filter(({ golden, faces }) => golden.length !== faces.length);
    const faces = images.reduce((sum, { golden }) => sum + golden.length, 0);
    console.log(`${images.length} photographs, ${faces} faces, ${pairs.length} found`);
    expect(others.map(({ file }) => file)).toEqual([]);
    expect(pairs).toHaveLength(faces);
    expect(faces).toBeGreaterThanOrEqual(100);
  });

  it('gives boxes and landmarks within half a pixel of the detector’s input, and the same scores', () => {
    const distances = pairs.map(({ golden, face, scale }) => {
      const edges = (['left', 'top', 'right', 'bottom'] as const).map(
        (edge) => golden.box[edge] - face.box[edge],
      );
      const points = golden.landmarks.flat().map((value, i) => value - (face.landmarks[i] as number));
      return scale * Math.max(...[...edges, ...points].map(Math.abs));
    });
    const scores = pairs.map(({ golden, face }) => Math.abs(golden.score - face.score));
    console.log(
      `largest difference: ${Math.max(...distances).toFixed(3)} px, score ${Math.max(...scores).toExponential(2)}`,
    );
    expect(Math.max(...distances)).toBeLessThanOrEqual(0.5);
    expect(Math.max(...scores)).toBeLessThanOrEqual(0.01);
  });

  it('gives the same embeddings', () => {
    const cosines = pairs
      .map(({ golden, face }) => cosine(golden.embedding, face.embedding))
      .sort((a, b) => a - b);
    console.log(
      `cosine: min ${quantile(cosines, 0).toFixed(7)}, median ${quantile(cosines, 0.5).toFixed(7)}`,
    );
    expect(quantile(cosines, 0.5)).toBeGreaterThanOrEqual(0.9999);
    expect(quantile(cosines, 0)).toBeGreaterThanOrEqual(0.999);
  });
});
