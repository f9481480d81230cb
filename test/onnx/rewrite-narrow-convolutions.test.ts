import { describe, it } from 'vitest';
import {
  type ConvolutionShape,
  expectRewritten,
  expectUnchanged,
  TestNetwork,
} from '../support/packs/onnx-graphs.ts';

/** A convolution of 40 channels, and a Sigmoid that reads its result. */
function network(shape: Partial<ConvolutionShape>, { opset = 13 } = {}): Uint8Array<ArrayBuffer> {
  const net = new TestNetwork();
  const stem = net.graph.add('Relu', [net.conv('x', { inputs: 3, outputs: 40 })]);
  const narrow = net.conv(stem, { inputs: 40, outputs: 2, ...shape });
  return net.model([net.graph.add('Sigmoid', [narrow])], { opset });
}

const SPLIT = 'narrow-convolutions 1';

describe('splitNarrowConvolutions', () => {
  it.each([9, 11, 13, 17])('splits a convolution with few outputs in opset %i', async (opset) => {
    await expectRewritten(network({}, { opset }), SPLIT);
  });

  it.each([
    ['one output', { outputs: 1 }],
    ['three outputs', { outputs: 3 }],
    ['no bias', { bias: false }],
    ['a kernel of 5 × 5', { kernel: 5, outputs: 1 }],
    ['no padding', { pad: 0 }],
    ['different padding on each side', { attributes: { pads: { ints: [0, 1, 2, 3] } } }],
    ['dilations', { pad: 2, attributes: { dilations: { ints: [2, 2] } } }],
  ])('splits a convolution with %s', async (_, shape) => {
    await expectRewritten(network(shape), SPLIT);
  });

  it('splits convolutions that are outputs and share their weights', async () => {
    const net = new TestNetwork();
    const weights = net.randomConstant([2, 40, 3, 3]);
    const stems = [1, 2].map(() => net.conv('x', { inputs: 3, outputs: 40 }));
    const attributes = { pads: { ints: [1, 1, 1, 1] } };
    const narrow = stems.map((stem) => net.graph.add('Conv', [stem, weights], attributes));
    await expectRewritten(net.model(narrow), 'narrow-convolutions 2');
  });

  it.each([
    ['strides', { stride: 2 }],
    ['a 1×1 kernel', { kernel: 1 }],
    ['groups', { group: 2 }],
    ['so many outputs that the products need three blocks', { outputs: 4 }],
    ['many outputs', { outputs: 16 }],
  ])('does not split a convolution with %s', (_, shape) => expectUnchanged(network(shape)));

  it('does not split a convolution with automatic padding', async () => {
    const net = new TestNetwork();
    const stem = net.conv('x', { inputs: 3, outputs: 40 });
    const attributes = { auto_pad: { string: 'SAME_UPPER' } };
    await expectUnchanged(
      net.model([net.graph.add('Conv', [stem, net.randomConstant([2, 40, 3, 3])], attributes)]),
    );
  });

  it('does not split a convolution with few inputs', async () => {
    const net = new TestNetwork();
    await expectUnchanged(net.model([net.conv('x', { inputs: 3, outputs: 2 })]));
  });
});
