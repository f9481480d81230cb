import { convolutionOf } from '../rewrite/convolution.ts';
import { EditableGraph } from '../rewrite/editable-graph.ts';
import type { Node, TensorName } from '../rewrite/node.ts';
import type { Attribute, GraphNode } from '../writer.ts';
import { foldNormalisations, fullyConnectedOf } from './fold-normalisations.ts';
import { liftOpset } from './lift-opset.ts';
import { firstConvolutions, lastConvolutions, planQuantisation, type QuantisationPlan } from './plan.ts';
import { splitPrelus } from './prelu.ts';
import {
  type ActivationScale,
  activationScale,
  correctBias,
  quantiseBias,
  quantiseWeights,
  type Range,
  type WeightBits,
} from './ranges.ts';

export interface QuantisationOptions {
  /** Of weights. */
  weightBits: WeightBits;
  /** Whether the convolutions before the outputs stay in float32. */
  keepLastConvolutions: boolean;
}

/** A float32 graph in the form in which it is observed and quantised. */
export type PreparedModel = Uint8Array<ArrayBuffer>;

/**
 * Lifts a model to an operator set that has what quantisation needs, and folds its batch normalisations. It computes the same, up to
 * the rounding of float32.
 *
 * @throws {Error} if the bytes are not a model, or one with parts that are not understood; the message says which, without a subject.
 */
export function prepareForQuantisation(bytes: Uint8Array<ArrayBuffer>): PreparedModel {
  const graph = new EditableGraph(bytes);
  liftOpset(graph);
  foldNormalisations(graph);
  return graph.toBytes();
}

/** A model whose outputs are the least and the greatest value of tensors. */
export interface ObservedModel {
  bytes: Uint8Array<ArrayBuffer>;
  /** The names of the outputs for each tensor. */
  tensors: Map<TensorName, { min: TensorName; max: TensorName }>;
  /** The name of the output with the mean of each channel, for each tensor that a layer reads. */
  means: Map<TensorName, TensorName>;
}

/** What was seen of the tensors of an observed model. */
export interface Statistics {
  ranges: ReadonlyMap<TensorName, Range>;
  /** Of each channel. */
  means: ReadonlyMap<TensorName, Float64Array>;
}

/**
 * Makes a model give the ranges of the tensors that will be quantised, instead of its outputs. Each is two numbers, so a run takes no
 * more memory than that of the model.
 *
 * @throws {Error} if nothing of the model can be quantised.
 */
export function observeRanges(
  model: PreparedModel,
  { keepLastConvolutions }: Pick<QuantisationOptions, 'keepLastConvolutions'>,
): ObservedModel {
  const graph = new EditableGraph(model);
  const { layers, tensors } = plan(graph, keepLastConvolutions);
  if (layers.length === 0) throw new Error('it has no layer that can be computed in 8 bits');
  const observed: ObservedModel['tensors'] = new Map();
  for (const tensor of tensors) {
    const names = { min: graph.freshName(`${tensor}_min`), max: graph.freshName(`${tensor}_max`) };
    const attributes: Record<string, Attribute> = { keepdims: { int: 0 } };
    graph.append([
      { opType: 'ReduceMin', inputs: [tensor], outputs: [names.min], attributes },
      { opType: 'ReduceMax', inputs: [tensor], outputs: [names.max], attributes },
    ]);
    observed.set(tensor, names);
  }
  const means: ObservedModel['means'] = new Map();
  for (const layer of layers) {
    const [input = ''] = layer.inputs;
    if (means.has(input)) continue;
    const name = graph.freshName(`${input}_mean`);
    graph.append([meanOfChannels(graph, input, layer.opType === 'Conv' ? [0, 2, 3] : [0], name)]);
    means.set(input, name);
  }
  const float = (name: TensorName, dims: readonly string[]) =>
    ({ name, elementType: 'float', dims }) as const;
  graph.replaceOutputs([
    ...[...observed.values()].flatMap(({ min, max }) => [float(min, []), float(max, [])]),
    ...[...means.values()].map((name) => float(name, [`${name}_channels`])),
  ]);
  return { bytes: graph.toBytes(), tensors: observed, means };
}

/** Since opset 18 the axes of ReduceMean are an input. */
function meanOfChannels(
  graph: EditableGraph,
  tensor: TensorName,
  axes: readonly number[],
  output: TensorName,
): GraphNode {
  const keepdims = { int: 0 };
  if (graph.opset < 18)
    return {
      opType: 'ReduceMean',
      inputs: [tensor],
      outputs: [output],
      attributes: { axes: { ints: axes }, keepdims },
    };
  const constant = graph.addConstant(BigInt64Array.from(axes, BigInt), [axes.length], `${output}_axes`);
  return { opType: 'ReduceMean', inputs: [tensor, constant], outputs: [output], attributes: { keepdims } };
}

/**
 * Quantises a model: bytes between layers, weights of 7 or 8 bits for each output channel, biases of 32 bits. It is written as
 * QuantizeLinear and DequantizeLinear around float32 operators (QDQ), which ONNX Runtime fuses into operators on bytes.
 *
 * @param statistics of all tensors that {@link observeRanges} gives for the same model and options.
 */
export function quantiseModel(
  model: PreparedModel,
  statistics: Statistics,
  { weightBits, keepLastConvolutions }: QuantisationOptions,
): Uint8Array<ArrayBuffer> {
  const graph = new EditableGraph(model);
  const { layers, tensors, sameScale } = plan(graph, keepLastConvolutions);
  const quantiser = new GraphQuantiser(graph, statistics, { sameScale, weightBits });
  for (const layer of layers) quantiser.quantiseLayer(layer);
  for (const tensor of [...tensors, ...sameScale.keys()]) quantiser.quantiseTensor(tensor);
  splitPrelus(graph);
  return graph.toBytes();
}

function plan(graph: EditableGraph, keepLastConvolutions: boolean): QuantisationPlan {
  const kept = firstConvolutions(graph);
  if (keepLastConvolutions) for (const node of lastConvolutions(graph)) kept.add(node);
  return planQuantisation(graph, kept);
}

class GraphQuantiser {
  readonly #graph: EditableGraph;
  readonly #statistics: Statistics;
  readonly #sameScale: QuantisationPlan['sameScale'];
  readonly #weightBits: WeightBits;

  constructor(
    graph: EditableGraph,
    statistics: Statistics,
    { sameScale, weightBits }: Pick<QuantisationPlan, 'sameScale'> & { weightBits: WeightBits },
  ) {
    this.#graph = graph;
    this.#statistics = statistics;
    this.#sameScale = sameScale;
    this.#weightBits = weightBits;
  }

  /** Stores the weights of a layer, and its bias, as whole numbers. */
  quantiseLayer(node: Node): void {
    const graph = this.#graph;
    const convolution = convolutionOf(graph, node);
    const layer = convolution
      ? { dims: convolution.dims, weights: convolution.weights.floats(), bias: convolution.bias?.floats() }
      : fullyConnectedOf(graph, node);
    if (layer === undefined) throw new Error(`the layer ${node.outputs[0]} is not understood`);
    const [input = ''] = node.inputs;
    const [output = ''] = node.outputs;
    const [channels] = layer.dims;
    const weights = quantiseWeights(layer.weights, channels, this.#weightBits);
    const parts = [this.#restore(weights, layer.dims, `${output}_weights`)];
    const means = this.#statistics.means.get(input);
    if (means === undefined) throw new Error(`the means of the tensor ${input} are unknown`);
    const corrected = correctBias(layer, weights, means);
    const bias = quantiseBias(corrected, this.#scaleOf(input).scale, weights.scales);
    parts.push(this.#restore(bias, [channels], `${output}_bias`));
    const inputs = [input, ...parts.map(({ outputs }) => outputs[0] as TensorName)];
    graph.replace([node], [...parts, { ...node, inputs, attributes: node.attributes ?? {} }]);
  }

  /** Lets all that read a tensor read its values as bytes store them. */
  quantiseTensor(tensor: TensorName): void {
    const graph = this.#graph;
    const { scale, zeroPoint } = this.#scaleOf(tensor);
    const constants = [
      graph.addConstant(Float32Array.of(scale), [], `${tensor}_scale`),
      graph.addConstant(Uint8Array.of(zeroPoint), [], `${tensor}_zero_point`),
    ];
    const stored = graph.freshName(`${tensor}_quantised`);
    const restored = graph.freshName(`${tensor}_dequantised`);
    const readers = new Set(graph.consumersOf(tensor));
    const first = graph.nodes.find((node) => readers.has(node));
    if (first === undefined) return;
    graph.insertBefore(first, [
      { opType: 'QuantizeLinear', inputs: [tensor, ...constants], outputs: [stored], attributes: {} },
      { opType: 'DequantizeLinear', inputs: [stored, ...constants], outputs: [restored], attributes: {} },
    ]);
    for (const reader of readers) {
      graph.rewire(
        reader,
        reader.inputs.map((name) => (name === tensor ? restored : name)),
      );
    }
  }

  /** Adds whole numbers, and gives the node that makes real ones of them. */
  #restore(
    { values, scales }: { values: Int8Array | Int32Array; scales: Float32Array },
    dims: readonly number[],
    hint: string,
  ): GraphNode {
    const graph = this.#graph;
    const stored = graph.addConstant(values, dims, `${hint}_quantised`);
    const scale = graph.addConstant(scales, [scales.length], `${hint}_scale`);
    const zeros = values instanceof Int8Array ? new Int8Array(scales.length) : new Int32Array(scales.length);
    const zeroPoint = graph.addConstant(zeros, [scales.length], `${hint}_zero_point`);
    return {
      opType: 'DequantizeLinear',
      inputs: [stored, scale, zeroPoint],
      outputs: [graph.freshName(`${hint}_dequantised`)],
      attributes: { axis: { int: 0 } },
    };
  }

  #scaleOf(tensor: TensorName): ActivationScale {
    const origin = this.#sameScale.get(tensor) ?? tensor;
    const range = this.#statistics.ranges.get(origin);
    if (range === undefined) throw new Error(`the range of the tensor ${origin} is unknown`);
    return activationScale(range);
  }
}
