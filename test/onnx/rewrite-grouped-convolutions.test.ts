import { describe, it } from 'vitest';
import {
  type ConvolutionShape,
  expectRewritten,
  expectUnchanged,
  TestNetwork,
} from '../support/packs/onnx-graphs.ts';

interface Options {
  channels?: number;
  group?: number;
  activation?: 'prelu' | 'shared prelu' | 'relu' | 'none';
  bias?: boolean;
  grouped?: Partial<ConvolutionShape>;
  opset?: number;
}

/** A grouped convolution between two ordinary ones, as in the first block of MobileFaceNet. */
function network(options: Options = {}) {
  const { channels = 64, group = 32, activation = 'prelu', bias = true, opset = 13 } = options;
  const net = new TestNetwork();
  const activate = (x: string) => {
    if (activation === 'none') return x;
    if (activation === 'relu') return net.graph.add('Relu', [x]);
    if (activation === 'shared prelu') return net.prelu(x, [0.25], [1]);
    return net.graph.add('PRelu', [x, net.randomConstant([channels, 1, 1], -1, 2)]);
  };
  const before = activate(net.conv('x', { inputs: 3, outputs: channels, bias, stride: 2 }));
  const shape = { inputs: channels, outputs: channels, group, bias, ...options.grouped };
  const after = activate(net.conv(before, shape));
  const y = net.conv(after, { inputs: shape.outputs, outputs: 24, kernel: 1, bias, name: 'y' });
  return { net, before, after, y, model: (outputs = [y]) => net.model(outputs, { opset }) };
}

const passes: ['grouped-convolutions'] = ['grouped-convolutions'];

describe('splitGroupedConvolutions', () => {
  it('splits the PReLUs next to the convolution, which are then rewritten', async () => {
    await expectRewritten(network().model(), 'grouped-convolutions 1, prelu 4');
  });

  it.each([
    ['two channels per group', 64, 32],
    ['two channels per group, as in w600k_mbf', 128, 64],
    ['three channels per group', 48, 16],
    ['four channels per group', 64, 16],
  ])('splits a convolution with %s', async (_, channels, group) => {
    await expectRewritten(network({ channels, group }).model(), 'grouped-convolutions 1', { passes });
  });

  it.each(['prelu', 'shared prelu', 'relu', 'none'] as const)(
    'splits a convolution with activation %s',
    async (activation) => {
      await expectRewritten(network({ activation }).model(), 'grouped-convolutions 1', { passes });
    },
  );

  it('splits a convolution without biases', async () => {
    await expectRewritten(network({ bias: false }).model(), 'grouped-convolutions 1', { passes });
  });

  it.each([
    ['stride', { stride: 2 }],
    ['no padding', { pad: 0, kernel: 2 }],
    ['dilation', { attributes: { dilations: { ints: [2, 2] } }, pad: 2 }],
    ['a 1×1 kernel', { kernel: 1 }],
  ])('splits a convolution with %s', async (_, grouped) => {
    await expectRewritten(network({ grouped }).model(), 'grouped-convolutions 1', { passes });
  });

  it('splits a convolution in opset 11', async () => {
    await expectRewritten(network({ opset: 11 }).model(), 'grouped-convolutions 1', { passes });
  });
});

describe('splitGroupedConvolutions does not split a convolution', () => {
  const activation = 'relu';

  it.each([
    ['groups that do not fill blocks', { channels: 40, group: 20 }],
    ['more than four channels per group', { channels: 80, group: 16 }],
    ['one channel per group', { channels: 32, group: 32 }],
    ['more outputs than inputs', { grouped: { outputs: 128 } }],
  ])('with %s', async (_, options) => {
    await expectUnchanged(network({ ...options, activation }).model());
  });

  it('whose intermediate tensors have other consumers', async () => {
    const { before, after, y, model } = network({ activation });
    await expectUnchanged(model([y, before]));
    await expectUnchanged(model([y, after]));
    const second = network({ activation });
    const other = second.net.graph.add('Sigmoid', [second.before]);
    await expectUnchanged(second.model([second.y, other]));
  });

  it('without an ordinary convolution before and after it', async () => {
    const net = new TestNetwork();
    const first = net.conv('x', { inputs: 64, outputs: 64, group: 32 });
    await expectUnchanged(
      net.model([net.conv(first, { inputs: 64, outputs: 8 })], { channels: 64 }),
      [1, 64, 5, 5],
    );
    const last = new TestNetwork();
    const x = last.conv('x', { inputs: 3, outputs: 64 });
    await expectUnchanged(last.model([last.conv(x, { inputs: 64, outputs: 64, group: 32 })]));
  });
});
