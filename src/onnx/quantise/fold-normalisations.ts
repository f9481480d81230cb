import { channelsOf, convolutionOf } from '../rewrite/convolution.ts';
import type { EditableGraph } from '../rewrite/editable-graph.ts';
import type { Node, TensorName } from '../rewrite/node.ts';

/** A normalisation with fixed statistics: factor · x + offset for each channel. */
interface ChannelLine {
  factor: Float64Array;
  offset: Float64Array;
}

/**
 * Folds batch normalisations into the convolution or the fully connected layer before them. One that has none, as at the beginning of
 * each block of an IResNet, becomes a depthwise 1×1 convolution, which can be computed in 8 bits.
 *
 * @returns the number of normalisations that are gone.
 */
export function foldNormalisations(graph: EditableGraph): number {
  let count = 0;
  for (const node of graph.nodesOf('BatchNormalization')) {
    if (foldOne(graph, node)) count++;
  }
  return count;
}

function foldOne(graph: EditableGraph, node: Node): boolean {
  const line = lineOf(graph, node);
  const [input = ''] = node.inputs;
  const [output = ''] = node.outputs;
  if (line === undefined) return false;
  const before = graph.soleConsumerOf(input) === node ? graph.producerOf(input) : undefined;
  const convolution = convolutionOf(graph, before);
  if (before && convolution && convolution.dims[0] === line.factor.length) {
    const weights = scaleRows(convolution.weights.floats(), line);
    const bias = foldBias(convolution.bias?.floats(), line);
    const inputs = [convolution.input, ...addLayer(graph, output, weights, convolution.dims, bias)];
    graph.replace([node], []);
    graph.replace(
      [before],
      [{ opType: 'Conv', inputs, outputs: [output], attributes: convolution.attributes }],
    );
    return true;
  }
  const layer = fullyConnectedOf(graph, before);
  if (before && layer && layer.dims[0] === line.factor.length) {
    const weights = scaleRows(layer.weights, line);
    const inputs = [layer.input, ...addLayer(graph, output, weights, layer.dims, foldBias(layer.bias, line))];
    graph.replace([node], []);
    graph.replace(
      [before],
      [{ opType: 'Gemm', inputs, outputs: [output], attributes: { transB: { int: 1 } } }],
    );
    return true;
  }
  if (channelsOf(graph, input) !== line.factor.length) return false;
  const channels = line.factor.length;
  const weights = Float32Array.from(line.factor);
  const bias = Float32Array.from(line.offset);
  graph.replace(
    [node],
    [
      {
        opType: 'Conv',
        inputs: [input, ...addLayer(graph, output, weights, [channels, 1, 1, 1], bias)],
        outputs: [output],
        attributes: { group: { int: channels }, kernel_shape: { ints: [1, 1] } },
      },
    ],
  );
  return true;
}

/** @returns undefined if a statistic is not a constant, or the node is one for training. */
function lineOf(graph: EditableGraph, { inputs, outputs, attributes }: Node): ChannelLine | undefined {
  const [scale, shift, mean, variance] = inputs.slice(1).map((name) => graph.constant(name)?.floats());
  const epsilon = attributes?.epsilon ?? { float: 1e-5 };
  const known = ['epsilon', 'momentum'];
  if (!scale || !shift || !mean || !variance || outputs.length !== 1 || !('float' in epsilon))
    return undefined;
  if (!attributes || Object.keys(attributes).some((name) => !known.includes(name))) return undefined;
  const factor = Float64Array.from(
    scale,
    (value, i) => value / Math.sqrt((variance[i] as number) + epsilon.float),
  );
  const offset = Float64Array.from(shift, (value, i) => value - (mean[i] as number) * (factor[i] as number));
  return { factor, offset };
}

interface FullyConnected {
  input: TensorName;
  /** outputs × inputs. */
  weights: Float32Array;
  dims: readonly [number, number];
  bias: Float32Array | undefined;
}

/** A fully connected layer with constant weights, as Gemm writes it. Undefined for any other node. */
export function fullyConnectedOf(graph: EditableGraph, node: Node | undefined): FullyConnected | undefined {
  if (node?.opType !== 'Gemm' || node.domain !== '' || node.attributes === undefined) return undefined;
  const { alpha, beta, transA, transB, ...others } = node.attributes;
  const isOne = (attribute: typeof alpha) =>
    attribute === undefined || ('float' in attribute && attribute.float === 1);
  const isTransposed = transB && 'int' in transB && transB.int === 1;
  const isPlain = transA === undefined || ('int' in transA && transA.int === 0);
  if (!isOne(alpha) || !isOne(beta) || !isTransposed || !isPlain || Object.keys(others).length > 0)
    return undefined;
  const [input, weightsName, biasName] = node.inputs;
  const weights = graph.constant(weightsName);
  const bias = graph.constant(biasName);
  if (!input || weights?.dims.length !== 2) return undefined;
  if (biasName && (bias?.dims.length !== 1 || bias.dims[0] !== weights.dims[0])) return undefined;
  const dims = weights.dims as readonly number[] as FullyConnected['dims'];
  return { input, weights: weights.floats(), dims, bias: bias?.floats() };
}

function scaleRows(weights: Float32Array, { factor }: ChannelLine): Float32Array {
  const length = weights.length / factor.length;
  return weights.map((weight, index) => weight * (factor[Math.floor(index / length)] as number));
}

function foldBias(bias: Float32Array | undefined, { factor, offset }: ChannelLine): Float32Array {
  return Float32Array.from(offset, (value, i) => value + (factor[i] as number) * (bias?.[i] ?? 0));
}

function addLayer(
  graph: EditableGraph,
  hint: TensorName,
  weights: Float32Array,
  dims: readonly number[],
  bias: Float32Array,
): TensorName[] {
  return [
    graph.addConstant(weights, dims, `${hint}_weights`),
    graph.addConstant(bias, [bias.length], `${hint}_bias`),
  ];
}
