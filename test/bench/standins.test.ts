import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IRESNET_50, makeIresnet } from '../../bench/standins/iresnet.ts';
import { HEADER } from '../../bench/standins/pack.ts';
import { makeScrfd, SCRFD_10G } from '../../bench/standins/scrfd.ts';
import { RandomWeights } from '../../bench/standins/weights.ts';
import { cosine } from '../../bench/statistics.ts';
import { rewriteDetector } from '../../src/onnx/rewrite/rewrite.ts';
import { type Graph, writeModel } from '../../src/onnx/writer.ts';
import { identifyFiles } from '../../src/packs/identify-files.ts';

// The same builders with fewer channels: the real sizes take seconds, and `npm run test:system` runs them.
const NARROW_IRESNET = { channels: [8, 16, 32, 64], blocks: [1, 2, 3, 1], embeddingSize: 64 };
const NARROW_SCRFD = { ...SCRFD_10G, stem: [4, 4, 8], stages: [8, 8, 16, 16], neck: 8, head: 8 } as const;

const recogniser = writeModel(HEADER, makeIresnet(1, NARROW_IRESNET));
const detector = writeModel(HEADER, makeScrfd(1, NARROW_SCRFD));

/** Runs a network on random pixels, which are others for each seed. @returns the outputs in the graph's order. */
async function run(
  session: ort.InferenceSession,
  { side, seed }: { side: number; seed: number },
): Promise<Float32Array[]> {
  const pixels = new RandomWeights(seed).around(0, 0.5, 3 * side * side);
  const outputs = await session.run({ 'input.1': new ort.Tensor(pixels, [1, 3, side, side]) });
  return session.outputNames.map((name) => outputs[name]?.data as Float32Array);
}

function countWeights({ initialisers }: Graph): number {
  return initialisers
    .filter(({ data }) => data instanceof Float32Array)
    .reduce((sum, { data }) => sum + data.length, 0);
}

describe('the networks of the stand-ins', () => {
  it('have as many weights as the real ones', () => {
    // w600k_r50.onnx has 174,383,860 bytes, det_10g.onnx 16,923,827, nearly all of them weights of four bytes.
    expect(countWeights(makeIresnet(1, IRESNET_50)) * 4).toBeCloseTo(174.35e6, -5);
    expect(countWeights(makeScrfd(1, SCRFD_10G)) * 4).toBeCloseTo(16.9e6, -5);
  });

  it('are the same for the same seed, and others for another', () => {
    expect(Buffer.compare(writeModel(HEADER, makeIresnet(1, NARROW_IRESNET)), recogniser)).toBe(0);
    expect(Buffer.compare(writeModel(HEADER, makeScrfd(1, NARROW_SCRFD)), detector)).toBe(0);
    expect(Buffer.compare(writeModel(HEADER, makeIresnet(2, NARROW_IRESNET)), recogniser)).not.toBe(0);
    expect(Buffer.compare(writeModel(HEADER, makeScrfd(2, NARROW_SCRFD)), detector)).not.toBe(0);
  });

  it('are identified as a detector and a recogniser', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stand-in-test-'));
    try {
      writeFileSync(join(folder, 'a.onnx'), recogniser);
      writeFileSync(join(folder, 'b.onnx'), detector);
      const preprocessing = { mean: 127.5, std: 127.5 };
      expect(await identifyFiles(folder)).toEqual({
        detector: 'b.onnx',
        family: 'scrfd',
        recogniser: 'a.onnx',
        recogniserPreprocessing: preprocessing,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('get the rewrites of a detector with heads on demand', () => {
    expect(rewriteDetector(detector).heads?.levels).toHaveLength(3);
  });
});

describe('the embeddings of random weights', () => {
  it('differ from picture to picture, and neither vanish nor explode', async () => {
    const session = await ort.InferenceSession.create(recogniser);
    const [[a], [b]] = [
      await run(session, { side: 112, seed: 1 }),
      await run(session, { side: 112, seed: 2 }),
    ];
    await session.release();
    expect(cosine(a as Float32Array, b as Float32Array)).toBeLessThan(0.95);
    const meanSquare = (a as Float32Array).reduce((sum, value) => sum + value ** 2, 0) / 64;
    expect(meanSquare).toBeGreaterThan(0.01);
    expect(meanSquare).toBeLessThan(100);
  });
});

describe('the detector of random weights', () => {
  let session: ort.InferenceSession;
  beforeAll(async () => {
    session = await ort.InferenceSession.create(detector);
  });
  afterAll(() => session.release());

  it.each([1, 2])('finds one face at a fixed place of a picture of 128 × 128 (seed %i)', async (seed) => {
    const outputs = await run(session, { side: 128, seed });
    const scores = outputs.slice(0, 3);
    expect(scores.map((each) => each.filter((score) => score > 0.5).length)).toEqual([0, 0, 1]);
    expect(scores[2]?.[0]).toBeCloseTo(0.88);
    expect(outputs[5]?.subarray(0, 4)).toEqual(Float32Array.of(-1, -28 / 32, 3, 92 / 32));
    // The mouth is below the eyes.
    const landmarks = outputs[8] as Float32Array;
    expect(landmarks[9]).toBeGreaterThan(landmarks[1] as number);
  });

  it('finds none in the larger pass', async () => {
    const scores = (await run(session, { side: 640, seed: 1 })).slice(0, 3);
    expect(Math.max(...scores.map((each) => Math.max(...each)))).toBeLessThan(0.1);
  });
});
