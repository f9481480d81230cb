import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/onnx/rewrite/parse-model.ts';
import { rewriteForGpu } from '../../src/onnx/rewrite/rewrite.ts';
import type { Attribute } from '../../src/onnx/writer.ts';
import { appliedTo, differenceOf, runModel, TestNetwork } from '../support/packs/onnx-graphs.ts';
import { hasRealWeights, MODELS } from '../support/shared.ts';

interface Variant {
  /** Of the convolution before the coarser map. */
  stride?: number;
  /** Around the input of the convolution before the finer map. */
  pad?: number;
  attributes?: Record<string, Attribute>;
  /** Another reader of the enlarged map. */
  output?: boolean;
  /** What the sizes are computed from, besides shapes. */
  sizes?: 'shapes' | 'values';
  opset?: number;
}

/** A feature map is enlarged to the size of a finer one and added to it, as PyTorch's exporter writes it. */
function network({
  stride = 2,
  pad = 1,
  attributes = {},
  output = false,
  sizes = 'shapes',
  opset = 13,
}: Variant = {}) {
  const net = new TestNetwork();
  const { graph } = net;
  const finer = graph.add('Relu', [net.conv('x', { inputs: 3, outputs: 8, stride: 2, pad })]);
  const coarser = net.conv(finer, { inputs: 8, outputs: 8, stride });
  const at = (tensor: string, axis: number) => {
    const size = graph.add('Gather', [graph.add('Shape', [tensor]), graph.ints([axis], [])]);
    return graph.add('Unsqueeze', [size, graph.ints([0])]);
  };
  const channels = graph.add('Slice', [graph.add('Shape', [coarser]), graph.ints([0]), graph.ints([2])]);
  const rows = sizes === 'shapes' ? at(finer, 2) : graph.add('Abs', [at(finer, 2)]);
  const target = graph.add('Concat', [channels, rows, at(finer, 3)], { axis: { int: 0 } });
  const enlarged = graph.add('Resize', [coarser, '', '', target], {
    mode: { string: 'nearest' },
    coordinate_transformation_mode: { string: 'asymmetric' },
    nearest_mode: { string: 'floor' },
    ...attributes,
  });
  const sum = graph.add('Add', [finer, enlarged]);
  return net.model(output ? [sum, enlarged] : [sum], { opset });
}

const operatorsOf = (model: Uint8Array) =>
  new Set([...parseModel(model).nodes.keys()].map(({ opType }) => opType));

async function expectUnchanged(model: Uint8Array<ArrayBuffer>): Promise<void> {
  expect(rewriteForGpu(model).bytes).toBe(model);
  await runModel(model, [1, 3, 64, 32]);
}

describe('useConstantScales', () => {
  it('states the factor, with the same results bit for bit and no arithmetic on shapes', async () => {
    const model = network();
    const rewritten = rewriteForGpu(model);
    expect(appliedTo(rewritten)).toBe('constant-scales 1');
    expect([...operatorsOf(rewritten.bytes)].sort()).toEqual(['Add', 'Conv', 'Relu', 'Resize']);
    for (const [height, width] of [
      [32, 32],
      [64, 32],
      [96, 160],
    ] as const) {
      expect(await differenceOf(model, rewritten.bytes, [1, 3, height, width])).toBe(0);
    }
  });

  it('leaves an enlargement by another factor', async () => {
    await expectUnchanged(network({ stride: 4 }));
    await expectUnchanged(network({ stride: 1 }));
  });

  it('leaves maps whose sizes are no exact fraction of the input', async () => {
    // (64 - 3) / 2 + 1 = 31 rows.
    await expectUnchanged(network({ pad: 0 }));
  });

  it('leaves an enlarged map that has another reader, which may rely on its size', async () => {
    await expectUnchanged(network({ output: true }));
  });

  it('leaves sizes that are computed from more than shapes', async () => {
    await expectUnchanged(network({ sizes: 'values' }));
  });

  it('leaves a Resize whose result does not depend on the factor only', async () => {
    await expectUnchanged(network({ attributes: { antialias: { int: 0 } }, opset: 18 }));
  });

  describe.skipIf(!hasRealWeights)('with real weights', () => {
    it.each(['buffalo_sc_dq/det_500m.onnx', 'scrfd_2.5g/scrfd_2.5g_bnkps.onnx'])(
      'leaves no arithmetic on shapes in %s, with the same results bit for bit',
      async (file) => {
        const model = new Uint8Array(readFileSync(join(MODELS, file)));
        const rewritten = rewriteForGpu(model);
        expect(appliedTo(rewritten)).toBe('constant-scales 2');
        for (const operator of ['Shape', 'Gather', 'Slice', 'Concat', 'Unsqueeze']) {
          expect(operatorsOf(model)).toContain(operator);
          expect(operatorsOf(rewritten.bytes)).not.toContain(operator);
        }
        expect(await differenceOf(model, rewritten.bytes, [1, 3, 96, 160], 'input.1')).toBe(0);
      },
    );
  });
});
