import { describe, expect, it } from 'vitest';
import { rewriteGraph } from '../../src/onnx/rewrite/rewrite.ts';
import {
  appliedTo,
  type ConvolutionShape,
  differenceOf,
  expectLeftAlone,
  expectRewritten,
  TestNetwork,
} from '../support/onnx-graphs.ts';

/** The outputs of a stem's heads, which are given much as in a detector: in rows of channels. */
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

describe('convolutions of one tensor', () => {
  it.each([9, 11, 13, 17])('are merged to the bit in opset %i', async (opset) => {
    const model = network(HEADS, { opset });
    const { bytes } = rewriteGraph(model);
    await expectRewritten(model, MERGED);
    for (const size of [8, 31]) expect(await differenceOf(model, bytes, [1, 3, size, size + 2])).toBe(0);
  });

  it('are merged where some have no bias, or none has', async () => {
    await expectRewritten(network([{ bias: false }, { outputs: 3 }, { bias: false }]), MERGED);
    await expectRewritten(network(HEADS.map((head) => ({ ...head, bias: false }))), MERGED);
  });

  it('are merged where one of them is multiplied by a learnt number', async () => {
    await expectRewritten(network(HEADS, { scaled: true }), MERGED);
  });

  it('are merged where one states what another leaves to the default', async () => {
    const stated = { attributes: { dilations: { ints: [1, 1] } } };
    await expectRewritten(network([{}, stated]), MERGED);
  });

  it.each([
    ['pads', { pad: 0 }],
    ['strides', { stride: 2 }],
    ['dilations', { pad: 2, attributes: { dilations: { ints: [2, 2] } } }],
    ['kernels', { kernel: 1 }],
    ['groups', { group: 4 }],
  ])('with other %s are not merged with the rest', async (_, head) => {
    await expectRewritten(network([...HEADS, { outputs: 4, ...head }]), MERGED);
    await expectLeftAlone(network([{ outputs: 4 }, head]));
  });

  it('are merged in two groups where there are two kinds', async () => {
    const model = network([...HEADS, { kernel: 1 }, { kernel: 1, outputs: 5 }]);
    expect(appliedTo(rewriteGraph(model))).toBe('sibling-convolutions 2');
    await expectRewritten(model, 'sibling-convolutions 2');
  });

  it('are merged where they share their weights', async () => {
    const net = new TestNetwork();
    const weights = net.drawn([5, 3, 3, 3]);
    const outputs = [0, 1].map(() => net.graph.add('Conv', ['x', weights]));
    const other = net.graph.add('ReduceMax', [weights], { keepdims: { int: 0 } });
    await expectRewritten(net.model([...outputs, other]), MERGED);
  });

  it('are merged where they are outputs themselves', async () => {
    const net = new TestNetwork();
    const outputs = [2, 3].map((count) => net.conv('x', { inputs: 3, outputs: count }));
    const sigmoid = net.graph.add('Sigmoid', [outputs[0] as string]);
    await expectRewritten(net.model([...outputs, sigmoid]), MERGED);
  });
});

describe('convolutions of one tensor are left alone', () => {
  it('where another layer follows, which works on the blocked layout', async () => {
    const net = new TestNetwork();
    const branches = [0, 1].map(() => net.graph.add('Relu', [net.conv('x', { inputs: 3, outputs: 8 })]));
    const outputs = branches.map((branch) => net.conv(branch, { inputs: 8, outputs: 8, kernel: 1 }));
    await expectLeftAlone(net.model(outputs));
  });

  it('where they are wide enough to fill the blocks', async () => {
    await expectLeftAlone(network([{ outputs: 64 }, { outputs: 4 }]));
  });

  it('where their weights are computed', async () => {
    const net = new TestNetwork();
    const weights = net.graph.add('Relu', [net.drawn([4, 3, 3, 3])]);
    await expectLeftAlone(net.model([0, 1].map(() => net.graph.add('Conv', ['x', weights]))));
  });
});
