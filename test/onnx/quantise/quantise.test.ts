import { describe, expect, it } from 'vitest';
import { prepareForQuantisation } from '../../../src/onnx/quantise/quantise.ts';
import { EditableGraph } from '../../../src/onnx/rewrite/editable-graph.ts';
import { rewriteGraph } from '../../../src/onnx/rewrite/rewrite.ts';
import { appliedTo, differenceOf, TestNetwork } from '../../support/packs/onnx-graphs.ts';
import { DIMS, fusedOperators, outputOf, quantise, relativeError } from './graphs.ts';

/** Of 8 bits, after the few layers of these networks. */
const MAX_ERROR = 0.02;

const slopes = (count: number, largest: number) =>
  Array.from({ length: count }, (_, i) => -0.2 + ((largest + 0.2) * i) / (count - 1));

/** A block with all that R50 and SCRFD have between their convolutions. */
function block({ opset = 13, slope = 0.5 } = {}) {
  const network = new TestNetwork();
  const { graph } = network;
  const stem = graph.add('Relu', [network.conv('x', { inputs: 3, outputs: 16 })]);
  const normalised = graph.add('BatchNormalization', [
    stem,
    network.randomConstant([16], 0.5, 1.5),
    network.randomConstant([16]),
    network.randomConstant([16]),
    network.randomConstant([16], 0.5, 1.5),
  ]);
  const first = network.prelu(
    network.conv(normalised, { inputs: 16, outputs: 16 }),
    slopes(16, slope),
    [16, 1, 1],
  );
  const folded = graph.add('BatchNormalization', [
    network.conv(first, { inputs: 16, outputs: 16, bias: false }),
    network.randomConstant([16], 0.5, 1.5),
    network.randomConstant([16]),
    network.randomConstant([16]),
    network.randomConstant([16], 0.5, 1.5),
  ]);
  const sum = graph.add('Relu', [graph.add('Add', [folded, stem])]);
  const pool = { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } };
  const pooled = graph.add('AveragePool', [graph.add('MaxPool', [sum], pool)], pool);
  const last = network.conv(pooled, { inputs: 16, outputs: 8, name: 'y' });
  return { network, model: network.model([last], { opset }) };
}

/** A fully connected layer with a normalisation, as at the end of a recogniser. */
function embedder() {
  const network = new TestNetwork(2);
  const { graph } = network;
  const features = network.conv(network.conv('x', { inputs: 3, outputs: 8, stride: 2 }), {
    inputs: 8,
    outputs: 4,
    stride: 2,
  });
  const flat = graph.add('Flatten', [features]);
  const layer = graph.add(
    'Gemm',
    [flat, network.randomConstant([32, 144], -0.1, 0.1), network.randomConstant([32])],
    { transB: { int: 1 } },
  );
  const output = graph.add('BatchNormalization', [
    layer,
    network.randomConstant([32], 0.5, 1.5),
    network.randomConstant([32]),
    network.randomConstant([32]),
    network.randomConstant([32], 0.5, 1.5),
  ]);
  return network.model([output]);
}

describe('a prepared model', () => {
  it.each([11, 13])('of opset %i gives the same results, without batch normalisations', async (opset) => {
    const { model } = block({ opset });
    const prepared = prepareForQuantisation(model);
    const graph = new EditableGraph(prepared);
    expect(graph.opset).toBe(13);
    expect(graph.nodesOf('BatchNormalization')).toEqual([]);
    expect(await differenceOf(model, prepared, DIMS)).toBeLessThan(1e-4);
  });

  it('has normalisations of its fully connected layer folded', async () => {
    const model = embedder();
    const prepared = prepareForQuantisation(model);
    expect(new EditableGraph(prepared).nodesOf('BatchNormalization')).toEqual([]);
    expect(await differenceOf(model, prepared, DIMS)).toBeLessThan(1e-4);
  });

  it('has axes as inputs where the older operator set had attributes', async () => {
    const network = new TestNetwork();
    const unsqueezed = network.graph.add('Unsqueeze', ['x'], { axes: { ints: [0, 2] } });
    const y = network.graph.add('Squeeze', [unsqueezed], { axes: { ints: [2] } });
    const model = network.model([y], { opset: 11 });
    const prepared = prepareForQuantisation(model);
    expect(new EditableGraph(prepared).opset).toBe(13);
    expect(await differenceOf(model, prepared, DIMS)).toBe(0);
  });

  it.each(['Softmax', 'ReduceSum', 'Dropout', 'Selu'])(
    'is refused if its operator %s is not known to be the same',
    (opType) => {
      const network = new TestNetwork();
      const model = network.model([network.graph.add(opType, ['x'])], { opset: 11 });
      expect(() => prepareForQuantisation(model)).toThrow(opType);
    },
  );

  it.each([9, 10, 25])('is refused with opset %i', (opset) => {
    const network = new TestNetwork();
    const model = network.model([network.graph.add('Relu', ['x'])], { opset });
    expect(() => prepareForQuantisation(model)).toThrow(`version ${opset}`);
  });
});

describe('a quantised model', () => {
  it('gives what the model in float32 gives, within the error of 8 bits', async () => {
    const { model } = block();
    const error = relativeError(await outputOf(model), await outputOf(await quantise(model)));
    expect(error).toBeLessThan(MAX_ERROR);
    // It is not the same model.
    expect(error).toBeGreaterThan(1e-4);
  });

  it('is computed by ONNX Runtime on bytes, all but the first and the last convolution', async () => {
    const quantised = await quantise(block().model, { keepLastConvolutions: true });
    expect(await fusedOperators(quantised)).toMatchObject({
      // The lone normalisation and the two convolutions between.
      QLinearConv: 3,
      QLinearAdd: 1,
      QLinearAveragePool: 1,
      Conv: 2,
      Max: 1,
    });
  });

  it('has a fully connected layer on bytes', async () => {
    const model = embedder();
    const quantised = await quantise(model);
    expect(await fusedOperators(quantised)).toMatchObject({ QGemm: 1 });
    expect(relativeError(await outputOf(model), await outputOf(quantised))).toBeLessThan(MAX_ERROR);
  });

  it('keeps channels apart whose weights differ by orders of magnitude', async () => {
    const network = new TestNetwork(3);
    const features = network.conv(network.conv('x', { inputs: 3, outputs: 8, stride: 2 }), {
      inputs: 8,
      outputs: 4,
      stride: 4,
    });
    const weights = Float32Array.from({ length: 2 * 36 }, (_, i) => (i < 36 ? 100 : 0.01) * Math.cos(i));
    const flat = network.graph.add('Flatten', [features]);
    const layer = network.graph.constant(weights, [2, 36]);
    const model = network.model([network.graph.add('Gemm', [flat, layer], { transB: { int: 1 } })]);
    const [expected, actual] = [await outputOf(model), await outputOf(await quantise(model))];
    expect(expected.length).toBe(2);
    // With one scale for both, nothing would be left of the small one.
    for (const channel of [0, 1]) {
      const [one, other] = [expected, actual].map((values) => values[channel] as number) as [number, number];
      expect(Math.abs(one - other) / Math.abs(one)).toBeLessThan(0.2);
    }
  });

  it.each([
    ['the larger of x and a·x where no slope exceeds 1', 0.9, { Max: 1 }],
    ['a sum of scaled parts where one does', 1.5, { Relu: 1 }],
  ])('has PReLU as %s', async (_form, slope, operators) => {
    const { model } = block({ slope });
    const quantised = await quantise(model);
    expect(await fusedOperators(quantised)).toMatchObject(operators);
    expect(new EditableGraph(quantised).nodesOf('PRelu')).toEqual([]);
    expect(relativeError(await outputOf(model), await outputOf(quantised))).toBeLessThan(MAX_ERROR);
  });

  it('with weights of 7 bits is another one, and near enough', async () => {
    const { model } = block();
    const [expected, eight] = [await outputOf(model), await outputOf(await quantise(model))];
    const seven = await outputOf(await quantise(model, { weightBits: 7 }));
    expect(relativeError(expected, seven)).toBeLessThan(MAX_ERROR);
    expect(relativeError(eight, seven)).toBeGreaterThan(1e-4);
  });

  it('can be rewritten like any other', async () => {
    const quantised = await quantise(block().model);
    const rewritten = rewriteGraph(quantised);
    expect(appliedTo(rewritten)).toBe('');
  });

  it('is refused if there is nothing to quantise', async () => {
    const network = new TestNetwork();
    const model = network.model([network.graph.add('Relu', [network.conv('x', { inputs: 3, outputs: 4 })])]);
    await expect(quantise(model)).rejects.toThrow('no layer');
  });
});
