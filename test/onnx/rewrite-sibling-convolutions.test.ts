import { describe, expect, it } from 'vitest';
import { rewriteGraph } from '../../src/onnx/rewrite/rewrite.ts';
import {
  appliedTo,
  type ConvolutionShape,
  differenceOf,
  expectRewritten,
  expectUnchanged,
  TestNetwork,
} from '../support/packs/onnx-graphs.ts';

/** A stem with several heads, whose outputs are rows of channels as in a detector. */
function network(heads: Partial<ConvolutionShape>[], { opset = 13, scaled = false } = {}) {
  const net = new TestNetwork();
  const stem = net.graph.add('Relu', [net.conv('x', { inputs: 3, outputs: 12 })]);
  const outputs = heads.map((head, index) => {
    const convolved = net.conv(stem, { inputs: 12, outputs: 4, ...head });
    const map =
      scaled && index === 0 ? net.graph.add('Mul', [convolved, net.graph.floats([1.5], [])]) : convolved;
    const rows = net.graph.add('Transpose', [map], { perm: { ints: [0, 2, 3, 1] } });
    return net.graph.add('Reshape', [rows, net.graph.ints([-1, 1])]);
  });
  return net.model(outputs, { opset });
}

const HEADS = [{ outputs: 2 }, { outputs: 8 }, { outputs: 20 }];
const MERGED = 'sibling-convolutions 1';

describe('mergeSiblingConvolutions', () => {
  it.each([9, 11, 13, 17])(
    'merges convolutions of one input in opset %i, with the same results bit for bit',
    async (opset) => {
      const model = network(HEADS, { opset });
      const { bytes } = rewriteGraph(model);
      await expectRewritten(model, MERGED);
      for (const size of [8, 31]) expect(await differenceOf(model, bytes, [1, 3, size, size + 2])).toBe(0);
    },
  );

  it('merges convolutions of which some or all have no bias', async () => {
    await expectRewritten(network([{ bias: false }, { outputs: 3 }, { bias: false }]), MERGED);
    await expectRewritten(network(HEADS.map((head) => ({ ...head, bias: false }))), MERGED);
  });

  it('merges convolutions of which one is scaled by a constant', async () => {
    await expectRewritten(network(HEADS, { scaled: true }), MERGED);
  });

  it('merges convolutions of which one states a default', async () => {
    const stated = { attributes: { dilations: { ints: [1, 1] } } };
    await expectRewritten(network([{}, stated]), MERGED);
  });

  it.each([
    ['pads', { pad: 0 }],
    ['strides', { stride: 2 }],
    ['dilations', { pad: 2, attributes: { dilations: { ints: [2, 2] } } }],
    ['kernels', { kernel: 1 }],
    ['groups', { group: 4 }],
  ])('does not merge convolutions that differ in %s', async (_, head) => {
    await expectRewritten(network([...HEADS, { outputs: 4, ...head }]), MERGED);
    await expectUnchanged(network([{ outputs: 4 }, head]));
  });

  it('merges two kinds of convolutions into two groups', async () => {
    const model = network([...HEADS, { kernel: 1 }, { kernel: 1, outputs: 5 }]);
    expect(appliedTo(rewriteGraph(model))).toBe('sibling-convolutions 2');
    await expectRewritten(model, 'sibling-convolutions 2');
  });

  it('merges convolutions that share their weights', async () => {
    const net = new TestNetwork();
    const weights = net.randomConstant([5, 3, 3, 3]);
    const outputs = [0, 1].map(() => net.graph.add('Conv', ['x', weights]));
    const other = net.graph.add('ReduceMax', [weights], { keepdims: { int: 0 } });
    await expectRewritten(net.model([...outputs, other]), MERGED);
  });

  it('merges convolutions that are outputs of the graph', async () => {
    const net = new TestNetwork();
    const outputs = [2, 3].map((count) => net.conv('x', { inputs: 3, outputs: count }));
    const sigmoid = net.graph.add('Sigmoid', [outputs[0] as string]);
    await expectRewritten(net.model([...outputs, sigmoid]), MERGED);
  });
});

describe('mergeSiblingConvolutions does not merge convolutions', () => {
  it('that are followed by another layer in the blocked layout', async () => {
    const net = new TestNetwork();
    const branches = [0, 1].map(() => net.graph.add('Relu', [net.conv('x', { inputs: 3, outputs: 8 })]));
    const outputs = branches.map((branch) => net.conv(branch, { inputs: 8, outputs: 8, kernel: 1 }));
    await expectUnchanged(net.model(outputs));
  });

  it('that have enough outputs to fill the blocks', async () => {
    await expectUnchanged(network([{ outputs: 64 }, { outputs: 4 }]));
  });

  it('whose weights are computed', async () => {
    const net = new TestNetwork();
    const weights = net.graph.add('Relu', [net.randomConstant([4, 3, 3, 3])]);
    await expectUnchanged(net.model([0, 1].map(() => net.graph.add('Conv', ['x', weights]))));
  });
});
