import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import type { EmbeddedFace } from '../../src/vision/embed-face.ts';
import { embed, startRealEngine } from '../support/engine/real-engine.ts';
import { cosine, quantile } from '../support/numbers.ts';
import { overlap } from '../support/overlap.ts';
import { type GoldenFace, goldenImages, hasRealWeights, photo } from '../support/shared.ts';

const closest = (golden: GoldenFace, faces: EmbeddedFace[]) =>
  faces.toSorted((a, b) => overlap(golden.box, b.box) - overlap(golden.box, a.box))[0] as EmbeddedFace;

describe.skipIf(!hasRealWeights)('parity with InsightFace’s own Python package', () => {
  let engine: InferenceEngine;
  let prepared: string;
  let images: {
    file: string;
    golden: GoldenFace[];
    faces: EmbeddedFace[];
    size: object;
    goldenSize: object;
  }[];
  let pairs: { file: string; golden: GoldenFace; face: EmbeddedFace }[];

  beforeAll(async () => {
    // As users run it.
    prepared = await mkdtemp(join(tmpdir(), 'face-embedding-'));
    engine = await startRealEngine({ PREPARED_DIR: prepared });
    images = await Promise.all(
      goldenImages().map(async ({ file, faces: golden, width, height }) => {
        const answer = await embed(engine, photo(file), 'all');
        return { file, golden, faces: answer.faces, size: answer.image, goldenSize: { width, height } };
      }),
    );
    pairs = images.flatMap(({ file, golden, faces }) =>
      golden.flatMap((one) => (faces.length === 0 ? [] : [{ file, golden: one, face: closest(one, faces) }])),
    );
  });
  afterAll(async () => {
    await engine?.close();
    await rm(prepared, { recursive: true, force: true });
  });

  it('finds exactly the golden faces', () => {
    const missed = pairs
      .filter(({ golden, face }) => overlap(golden.box, face.box) < 0.9)
      .map(({ file }) => file);
    const counts = images
      .filter(({ golden, faces }) => golden.length !== faces.length)
      .map(({ file }) => file);
    const faces = images.reduce((sum, { golden }) => sum + golden.length, 0);
    console.log(
      `${images.length} photographs, ${faces} faces: ${missed.length} missed, ${counts.length} photographs with another number`,
    );
    expect(missed).toEqual([]);
    expect(counts).toEqual([]);
    expect(pairs).toHaveLength(faces);
    expect(faces).toBeGreaterThanOrEqual(145);
  });

  it('gives the same result to the bit without prepared graphs', async () => {
    expect(
      (await readdir(prepared, { recursive: true })).filter((name) => name.endsWith('.onnx')),
    ).toHaveLength(2);
    const unprepared = await startRealEngine({ PREPARED_DIR: 'none' });
    onTestFinished(() => unprepared.close());
    const some = images.filter((_, index) => index % 10 === 0);
    for (const { file, faces } of some)
      expect((await embed(unprepared, photo(file), 'all')).faces).toEqual(faces);
  });

  it('gives a lone request the same result to the bit, although it runs on more threads', async () => {
    const some = images.filter((_, index) => index % 10 === 0);
    expect(some.length).toBeGreaterThan(10);
    for (const { file, faces } of some)
      expect((await embed(engine, photo(file), 'all')).faces).toEqual(faces);
  });

  it('decodes pictures at the golden size', () => {
    for (const { size, goldenSize } of images) expect(size).toEqual(goldenSize);
  });

  it('gives scores within 0.01', () => {
    const differences = pairs.map(({ golden, face }) => Math.abs(golden.score - face.score));
    console.log(`largest difference of a score: ${Math.max(...differences).toExponential(2)}`);
    expect(Math.max(...differences)).toBeLessThanOrEqual(0.01);
  });

  it('gives landmarks within 1 % of the box diagonal', () => {
    const distances = pairs.flatMap(({ golden, face }) => {
      const { left, top, right, bottom } = golden.box;
      const diagonal = Math.hypot(right - left, bottom - top);
      return golden.landmarks.map(
        ([x, y], i) =>
          Math.hypot(x - (face.landmarks[2 * i] as number), y - (face.landmarks[2 * i + 1] as number)) /
          diagonal,
      );
    });
    console.log(
      `largest distance of a landmark: ${(100 * Math.max(...distances)).toFixed(4)} % of the diagonal`,
    );
    expect(Math.max(...distances)).toBeLessThanOrEqual(0.01);
  });

  it('gives the same embeddings', () => {
    const cosines = pairs
      .map(({ golden, face }) => cosine(golden.embedding, face.embedding))
      .sort((a, b) => a - b);
    const at = (share: number) => quantile(cosines, share).toFixed(7);
    console.log(`cosine: min ${at(0)}, 1 % ${at(0.01)}, 5 % ${at(0.05)}, median ${at(0.5)}`);
    expect(quantile(cosines, 0)).toBeGreaterThanOrEqual(0.999);
    expect(quantile(cosines, 0.5)).toBeGreaterThanOrEqual(0.9999);
  });
});
