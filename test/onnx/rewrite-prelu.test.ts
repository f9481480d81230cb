import { describe, expect, it } from 'vitest';
import { rewriteGraph } from '../../src/onnx/rewrite/rewrite.ts';
import { readFields } from '../../src/onnx/wire.ts';
import { seededRandom } from '../support/numbers.ts';
import {
  differenceOf,
  expectRewritten,
  expectUnchanged,
  runModel,
  TestNetwork,
} from '../support/packs/onnx-graphs.ts';

/** Random slopes. 20 channels are not a multiple of a block in ONNX Runtime's layout. */
const slopesIn = (low: number, high: number, count = 20) => {
  const random = seededRandom(3);
  return Array.from({ length: count }, () => low + (high - low) * random());
};

/** A convolution and a PReLU. */
function network(slopes: number[], dims: number[], { channels = 20, opset = 13, bias = true } = {}) {
  const net = new TestNetwork();
  const x = net.conv('x', { inputs: 3, outputs: channels, bias });
  return net.model([net.prelu(x, slopes, dims, 'y')], { opset });
}

describe('rewritePrelu', () => {
  it.each([
    ['from 0 to 0.5', 0, 0.5],
    ['below 0', -1, 0],
    ['above 1', 1, 3],
    ['of both signs', -2, 2],
    ['of 0 (a Relu)', 0, 0],
    ['of 1 (the identity)', 1, 1],
  ])('rewrites slopes %s', async (_, low, high) => {
    await expectRewritten(network(slopesIn(low, high), [20, 1, 1]), 'prelu 1');
  });

  it.each([
    ['[1]', [1]],
    ['[]', []],
    ['[1, 1, 1]', [1, 1, 1]],
  ])('rewrites a shared slope of shape %s', async (_, dims) => {
    await expectRewritten(network([0.3], dims), 'prelu 1');
  });

  it.each([-1, 0.1, 2])(
    'returns the same results bit for bit with one slope of %f for all channels',
    async (slope) => {
      const model = network([slope], [1, 1, 1]);
      expect(await differenceOf(model, rewriteGraph(model).bytes, [1, 3, 9, 9])).toBe(0);
    },
  );

  it('rewrites a slope with a leading axis', async () => {
    await expectRewritten(network(slopesIn(-1, 2), [1, 20, 1, 1]), 'prelu 1');
  });

  it.each([1, 3, 16, 17, 64])('rewrites %i channels', async (channels) => {
    await expectRewritten(network(slopesIn(-1, 2, channels), [channels, 1, 1], { channels }), 'prelu 1');
  });

  it.each([9, 11, 13, 17])('rewrites opset %i', async (opset) => {
    await expectRewritten(network(slopesIn(-1, 2), [20, 1, 1], { opset }), 'prelu 1');
  });

  it('returns positive inputs bit for bit', async () => {
    const model = network(slopesIn(-1, 2), [20, 1, 1]);
    const { y: before } = await runModel(model, [1, 3, 9, 9]);
    const { y: after } = await runModel(rewriteGraph(model).bytes, [1, 3, 9, 9]);
    // With slopes of both signs a result above 0 may come from either side, so the input decides.
    const bare = new TestNetwork();
    const x = bare.conv('x', { inputs: 3, outputs: 20, name: 'y' });
    const { y: input } = await runModel(bare.model([x]), [1, 3, 9, 9]);
    const kept = [...(input ?? [])].map((value, i) =>
      value >= 0 ? Object.is(before?.[i], after?.[i]) : true,
    );
    expect(kept).toHaveLength(20 * 81);
    expect(kept.every(Boolean)).toBe(true);
  });

  it('gives the same results for a batch of several pictures', async () => {
    const model = network(slopesIn(-1, 2), [20, 1, 1]);
    const wanted = await runModel(model, [3, 3, 5, 4]);
    const got = await runModel(rewriteGraph(model).bytes, [3, 3, 5, 4]);
    const differences = [...(wanted.y ?? [])].map((value, i) => Math.abs(value - (got.y?.[i] as number)));
    expect(Math.max(...differences)).toBeLessThan(1e-5);
  });

  it('rewrites a PReLU with two consumers whose input and result are outputs of the graph', async () => {
    const net = new TestNetwork();
    const x = net.conv('x', { inputs: 3, outputs: 8 });
    const y = net.prelu(x, slopesIn(-1, 2, 8), [8, 1, 1]);
    const sum = net.graph.add('Add', [net.conv(y, { inputs: 8, outputs: 8 }), y]);
    await expectRewritten(net.model([x, y, sum]), 'prelu 1');
  });

  it('rewrites a PReLU after batch normalisation, additions and other PReLUs', async () => {
    const net = new TestNetwork();
    const statistics = () => [0.5, -1, -1, 0.5].map((low) => net.randomConstant([8], low, low + 1));
    const convolved = net.conv('x', { inputs: 3, outputs: 8 });
    const normalised = net.graph.add('BatchNormalization', [convolved, ...statistics()]);
    const first = net.prelu(normalised, slopesIn(-1, 2, 8), [8, 1, 1]);
    const second = net.prelu(first, [0.2], [1]);
    const sum = net.graph.add('Add', [second, net.conv('x', { inputs: 3, outputs: 8 })]);
    await expectRewritten(net.model([net.prelu(sum, [0.1], [1], 'y')]), 'prelu 3');
  });

  it('keeps slopes that another node reads', async () => {
    const net = new TestNetwork();
    const slope = net.graph.floats(slopesIn(-1, 2, 8), [8, 1, 1]);
    const x = net.conv('x', { inputs: 3, outputs: 8 });
    const first = net.graph.add('PRelu', [x, slope]);
    const second = net.graph.add('PRelu', [net.conv(first, { inputs: 8, outputs: 8 }), slope]);
    const scaled = net.graph.add('Mul', [second, slope], {}, 'y');
    await expectRewritten(net.model([scaled]), 'prelu 2');
  });

  it('removes slopes that no node reads any more', async () => {
    const model = network(slopesIn(-1, 2), [20, 1, 1]);
    const namesIn = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
    // The third constant of the network.
    expect(namesIn(model)).toContain('constant_2');
    const { bytes } = rewriteGraph(model);
    const graph = [...readFields(bytes)].find(({ number }) => number === 7);
    const constants = [...readFields(graph?.payload as Uint8Array)].filter(({ number }) => number === 5);
    expect(constants).toHaveLength(4);
  });

  it('generates other names if its own are in use', async () => {
    const net = new TestNetwork();
    const taken = ['y_negated', 'y_negative_part', 'y_correction', 'minus_one_8', 'one_minus_constant_2_8'];
    const x = net.conv('x', { inputs: 3, outputs: 8 });
    const y = net.prelu(x, slopesIn(-1, 2, 8), [8, 1, 1], 'y');
    const outputs = taken.map((name) => net.graph.add('Relu', [x], {}, name));
    await expectRewritten(net.model([y, ...outputs]), 'prelu 1');
  });
});

describe('rewritePrelu does not rewrite a PReLU', () => {
  it('with a slope along the columns, which is the meaning of shape [C]', async () => {
    await expectUnchanged(network(slopesIn(-1, 2), [20]), [1, 3, 8, 20]);
    await expectUnchanged(network(slopesIn(-1, 2, 7), [7]), [1, 3, 8, 7]);
  });

  it('with a slope for each row or each element', async () => {
    await expectUnchanged(network(slopesIn(-1, 2, 8), [8, 1]));
    await expectUnchanged(network(slopesIn(-1, 2, 1280), [20, 8, 8]));
  });

  it('with a computed slope', async () => {
    const net = new TestNetwork();
    const x = net.conv('x', { inputs: 3, outputs: 8 });
    const slope = net.graph.add('Relu', [net.randomConstant([8, 1, 1])]);
    await expectUnchanged(net.model([net.graph.add('PRelu', [x, slope], {}, 'y')]));
  });

  it('if the number of channels of its input is unknown', async () => {
    const net = new TestNetwork();
    await expectUnchanged(net.model([net.prelu('x', [0.1, 0.2, 0.3], [3, 1, 1])]));
    const other = new TestNetwork();
    const x = other.graph.add('Transpose', [other.conv('x', { inputs: 3, outputs: 8 })], {
      perm: { ints: [0, 1, 3, 2] },
    });
    await expectUnchanged(other.model([other.prelu(x, slopesIn(-1, 2, 8), [8, 1, 1])]));
  });
});
