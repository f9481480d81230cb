import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/onnx/rewrite/parse-model.ts';
import { rewriteForGpu } from '../../../src/onnx/rewrite/rewrite.ts';
import { PROBE_FACE_DIMS, PROBE_SIDE, probeGraph } from '../../../src/vision/device/probe-graph.ts';
import { hasRealWeights, MODELS } from '../../support/shared.ts';

const operatorsOf = (model: Uint8Array) =>
  new Set([...parseModel(model).nodes.keys()].map(({ opType }) => opType));

describe('the graph that devices are tried with', () => {
  it('runs, and gives numbers that differ', async () => {
    const session = await ort.InferenceSession.create(probeGraph(), { intraOpNumThreads: 1 });
    const ones = (dims: readonly number[]) =>
      new ort.Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(1), dims);
    const results = await session.run({
      picture: ones([1, 3, PROBE_SIDE, PROBE_SIDE]),
      face: ones(PROBE_FACE_DIMS),
    });
    for (const name of session.outputNames) {
      const numbers = results[name]?.data as Float32Array;
      expect(numbers.every(Number.isFinite)).toBe(true);
      expect(new Set(numbers).size).toBeGreaterThan(4);
    }
  });

  it('is the same each time', () => {
    expect(Buffer.compare(probeGraph(), probeGraph())).toBe(0);
  });

  it
    .skipIf(!hasRealWeights)
    .each([
      'buffalo_sc_dq/det_500m.onnx',
      'buffalo_sc_dq/w600k_mbf.onnx',
      'scrfd_2.5g/scrfd_2.5g_bnkps.onnx',
    ])('has every operator of %s', (file) => {
    const probed = operatorsOf(probeGraph());
    const { bytes } = rewriteForGpu(new Uint8Array(readFileSync(join(MODELS, file))));
    expect([...operatorsOf(bytes)].filter((operator) => !probed.has(operator))).toEqual([]);
  });
});
