import { describe, expect, it } from 'vitest';
import { rewriteGraph } from '../../src/onnx/rewrite/rewrite.ts';
import { differenceOf, expectRewritten, expectUnchanged, TestNetwork } from '../support/packs/onnx-graphs.ts';

/** A feature map that becomes rows of channels, as in the head of a detector. */
function network({ perm = [2, 3, 0, 1], shape = [-1, 10], output = false, override = false } = {}) {
  const net = new TestNetwork();
  const map = net.conv('x', { inputs: 3, outputs: 20 });
  const last = net.graph.add('Transpose', [map], { perm: { ints: perm } });
  const sizes = override ? net.graph.add('Identity', [net.graph.ints(shape)]) : net.graph.ints(shape);
  const rows = net.graph.add('Reshape', [last, sizes]);
  const score = net.graph.add('Sigmoid', [rows]);
  return net.model(output ? [score, last] : [score]);
}

describe('flattenTransposes', () => {
  it('transposes a matrix instead, with the same results bit for bit for any batch', async () => {
    const model = network();
    const { bytes } = rewriteGraph(model);
    await expectRewritten(model, 'transposes 1');
    for (const batch of [1, 2, 3]) {
      for (const size of [1, 7, 32])
        expect(await differenceOf(model, bytes, [batch, 3, size, size + 1])).toBe(0);
    }
  });

  it('does not rewrite other permutations', async () => {
    await expectUnchanged(network({ perm: [0, 2, 3, 1] }));
    await expectUnchanged(network({ perm: [2, 3, 1, 0] }));
  });

  it('does not rewrite a transpose whose axes matter to a consumer', async () => {
    await expectUnchanged(network({ output: true }));
    await expectUnchanged(network({ shape: [0, -1, 10] }));
    await expectUnchanged(network({ override: true }));
  });
});
