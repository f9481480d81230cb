import { describe, expect, it } from 'vitest';
import { rewriteGraph } from '../../src/onnx/rewrite/rewrite.ts';
import { differenceOf, expectLeftAlone, expectRewritten, TestNetwork } from '../support/onnx-graphs.ts';

/** A head's map as detectors give it: in rows of channels. */
function network({ perm = [2, 3, 0, 1], shape = [-1, 10], output = false, override = false } = {}) {
  const net = new TestNetwork();
  const map = net.conv('x', { inputs: 3, outputs: 20 });
  const last = net.graph.add('Transpose', [map], { perm: { ints: perm } });
  const sizes = override ? net.graph.add('Identity', [net.graph.ints(shape)]) : net.graph.ints(shape);
  const rows = net.graph.add('Reshape', [last, sizes]);
  const score = net.graph.add('Sigmoid', [rows]);
  return net.model(output ? [score, last] : [score]);
}

describe('transposes of four axes', () => {
  it('become transposes of matrices, to the bit, for any batch', async () => {
    const model = network();
    const { bytes } = rewriteGraph(model);
    await expectRewritten(model, 'transposes 1');
    for (const batch of [1, 2, 3]) {
      for (const size of [1, 7, 32])
        expect(await differenceOf(model, bytes, [batch, 3, size, size + 1])).toBe(0);
    }
  });

  it('are left alone in another order', async () => {
    await expectLeftAlone(network({ perm: [0, 2, 3, 1] }));
    await expectLeftAlone(network({ perm: [2, 3, 1, 0] }));
  });

  it('are left alone where their axes can be seen', async () => {
    await expectLeftAlone(network({ output: true }));
    await expectLeftAlone(network({ shape: [0, -1, 10] }));
    await expectLeftAlone(network({ override: true }));
  });
});
