import { describe, expect, it } from 'vitest';
import { rewriteGraph } from '../../src/onnx/rewrite/rewrite.ts';
import type { Attribute } from '../../src/onnx/writer.ts';
import { differenceOf, expectRewritten, expectUnchanged, TestNetwork } from '../support/packs/onnx-graphs.ts';

interface Layer {
  /** Of the matrix. */
  dims?: [number, number];
  /** Undefined for none. */
  bias?: number[] | undefined;
  attributes?: Record<string, Attribute>;
  /** Whether the matrix is computed. */
  computed?: boolean;
}

/** A Gemm behind a convolution of 32 channels and an average, as the last layer of a recogniser. */
function network(layer: Layer = {}) {
  const { dims = [32, 48], attributes = {}, computed = false } = layer;
  const bias = 'bias' in layer ? layer.bias : [48];
  const net = new TestNetwork();
  const map = net.conv('x', { inputs: 3, outputs: 32 });
  const vector = net.graph.add('Flatten', [net.graph.add('GlobalAveragePool', [map])]);
  const constant = net.randomConstant(dims);
  const matrix = computed ? net.graph.add('Identity', [constant]) : constant;
  const inputs = bias ? [vector, matrix, net.randomConstant(bias)] : [vector, matrix];
  return net.model([net.graph.add('Gemm', inputs, attributes)]);
}

describe('rewriteGemms', () => {
  it.each<[string, Layer]>([
    ['with a column for each output', {}],
    ['with a row for each output', { dims: [48, 32], attributes: { transB: { int: 1 } } }],
    ['without a bias', { bias: undefined }],
    ['with a bias of one row', { bias: [1, 48] }],
    [
      'with attributes that say what is the default',
      { attributes: { alpha: { float: 1 }, beta: { float: 1 } } },
    ],
  ])('makes a convolution of a matrix %s, for any batch', async (_, layer) => {
    const model = network(layer);
    const bytes = await expectRewritten(model, 'gemms 1');
    for (const batch of [2, 5]) expect(await differenceOf(model, bytes, [batch, 3, 8, 8])).toBeLessThan(1e-5);
    expect(rewriteGraph(bytes).bytes).toBe(bytes);
  });

  it.each<[string, Layer]>([
    ['scales the product', { attributes: { alpha: { float: 0.5 } } }],
    ['scales the bias', { attributes: { beta: { float: 2 } } }],
    ['has a bias that is one number', { bias: [1] }],
    ['has a number of outputs that the blocked layout pads', { dims: [32, 50], bias: [50] }],
    ['has a matrix that is computed', { computed: true }],
  ])('does not rewrite a Gemm that %s', async (_, layer) => {
    await expectUnchanged(network(layer));
  });

  it('does not rewrite a Gemm whose input is transposed', async () => {
    const net = new TestNetwork();
    const vector = net.graph.add('Flatten', [
      net.graph.add('GlobalAveragePool', [net.conv('x', { inputs: 3, outputs: 32 })]),
    ]);
    const turned = net.graph.add('Transpose', [vector], { perm: { ints: [1, 0] } });
    const product = net.graph.add('Gemm', [turned, net.randomConstant([32, 48])], { transA: { int: 1 } });
    await expectUnchanged(net.model([product]));
  });
});
