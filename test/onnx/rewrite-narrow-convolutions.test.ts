import { describe, it } from 'vitest';
import {
  type ConvolutionShape,
  expectLeftAlone,
  expectRewritten,
  TestNetwork,
} from '../support/onnx-graphs.ts';

/** A convolution of 40 channels, and something that reads it. */
function network(shape: Partial<ConvolutionShape>, { opset = 13 } = {}): Uint8Array<ArrayBuffer> {
  const net = new TestNetwork();
  const stem = net.graph.add('Relu', [net.conv('x', { inputs: 3, outputs: 40 })]);
  const narrow = net.conv(stem, { inputs: 40, outputs: 2, ...shape });
  return net.model([net.graph.add('Sigmoid', [narrow])], { opset });
}

const APART = 'narrow-convolutions 1';

describe('a convolution with few outputs', () => {
  it.each([9, 11, 13, 17])('is taken apart in opset %i', async (opset) => {
    await expectRewritten(network({}, { opset }), APART);
  });

  it.each([
    ['one output', { outputs: 1 }],
    ['three outputs', { outputs: 3 }],
    ['no bias', { bias: false }],
    ['a kernel of 5 × 5', { kernel: 5, outputs: 1 }],
    ['no border', { pad: 0 }],
    ['another border on each side', { attributes: { pads: { ints: [0, 1, 2, 3] } } }],
    ['dilations', { pad: 2, attributes: { dilations: { ints: [2, 2] } } }],
  ])('is taken apart with %s', async (_, shape) => {
    await expectRewritten(network(shape), APART);
  });

  it('is taken apart where it is an output and shares its weights', async () => {
    const net = new TestNetwork();
    const weights = net.drawn([2, 40, 3, 3]);
    const stems = [1, 2].map(() => net.conv('x', { inputs: 3, outputs: 40 }));
    const attributes = { pads: { ints: [1, 1, 1, 1] } };
    const narrow = stems.map((stem) => net.graph.add('Conv', [stem, weights], attributes));
    await expectRewritten(net.model(narrow), 'narrow-convolutions 2');
  });

  it.each([
    ['strides', { stride: 2 }],
    ['a kernel of a single number', { kernel: 1 }],
    ['groups', { group: 2 }],
    ['as many products as fill three blocks', { outputs: 4 }],
    ['many outputs', { outputs: 16 }],
  ])('is left alone with %s', (_, shape) => expectLeftAlone(network(shape)));

  it('is left alone with automatic padding', async () => {
    const net = new TestNetwork();
    const stem = net.conv('x', { inputs: 3, outputs: 40 });
    const attributes = { auto_pad: { string: 'SAME_UPPER' } };
    await expectLeftAlone(net.model([net.graph.add('Conv', [stem, net.drawn([2, 40, 3, 3])], attributes)]));
  });

  it('is left alone where there are few inputs, too', async () => {
    const net = new TestNetwork();
    await expectLeftAlone(net.model([net.conv('x', { inputs: 3, outputs: 2 })]));
  });
});
