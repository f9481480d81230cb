import { describe, expect, it } from 'vitest';
import { rewriteGraph } from '../../src/onnx/rewrite/rewrite.ts';
import {
  type ConvolutionShape,
  differenceOf,
  expectRewritten,
  expectUnchanged,
  TestNetwork,
} from '../support/packs/onnx-graphs.ts';

interface Head {
  outputs: number;
  pointwise?: Partial<ConvolutionShape>;
  depthwise?: Partial<ConvolutionShape>;
  /** Whether something else reads what is between the two convolutions. */
  shared?: boolean;
  /** What reads the result. */
  reader?: 'Transpose' | 'Relu';
}

/** A stem with separable heads, whose outputs are rows of channels as in YuNet. */
function network(heads: readonly Head[], { opset = 13 } = {}) {
  const net = new TestNetwork();
  const stem = net.graph.add('Relu', [net.conv('x', { inputs: 3, outputs: 12 })]);
  const outputs = heads.flatMap(({ outputs, pointwise, depthwise, shared, reader = 'Transpose' }) => {
    const middle = net.conv(stem, { inputs: 12, outputs, kernel: 1, ...pointwise });
    const map = net.conv(middle, { inputs: outputs, outputs, group: outputs, ...depthwise });
    const perm = { perm: { ints: [0, 2, 3, 1] } };
    const rows = net.graph.add(reader, [map], reader === 'Transpose' ? perm : {});
    const reshaped = net.graph.add('Reshape', [rows, net.graph.ints([-1, 1])]);
    return shared ? [reshaped, net.graph.add('Sigmoid', [middle])] : [reshaped];
  });
  return net.model(outputs, { opset });
}

/** The scores, the box and the landmarks of YuNet. */
const HEADS: readonly Head[] = [{ outputs: 1 }, { outputs: 1 }, { outputs: 4 }, { outputs: 10 }];
const MERGED = 'separable-heads 1';

/** The heads, of which the last one is changed. */
const withLast = (change: Partial<Head>): Head[] =>
  HEADS.map((head, index) => (index === HEADS.length - 1 ? { ...head, ...change } : head));

describe('mergeSeparableHeads', () => {
  it.each([9, 11, 13, 17])('merges heads of one input in opset %i, with the same results', async (opset) => {
    const model = network(HEADS, { opset });
    await expectRewritten(model, MERGED);
    expect(await differenceOf(model, rewriteGraph(model).bytes, [1, 3, 31, 33])).toBeLessThan(1e-5);
  });

  it('merges heads of which some or all have no bias', async () => {
    const plain = { pointwise: { bias: false }, depthwise: { bias: false } };
    await expectRewritten(network(withLast(plain)), MERGED);
    await expectRewritten(network(HEADS.map((head) => ({ ...head, ...plain }))), MERGED);
  });

  it('leaves heads alone whose channels together are no multiple of a block', async () => {
    await expectUnchanged(network(withLast({ outputs: 9 })));
  });

  it.each<[string, Partial<Head>]>([
    ['has another stride', { depthwise: { stride: 2 } }],
    ['has another kernel', { depthwise: { kernel: 5 } }],
    ['is not depthwise', { depthwise: { group: 1 } }],
    ['is not pointwise', { pointwise: { kernel: 3 } }],
    ['has a second reader between its convolutions', { shared: true }],
    ['is read by something that needs the blocked layout', { reader: 'Relu' }],
  ])('does not merge a head that %s', async (_, change) => {
    await expectUnchanged(network(withLast(change)));
  });
});
