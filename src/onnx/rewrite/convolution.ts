import type { Attribute, GraphNode } from '../writer.ts';
import type { EditableGraph } from './editable-graph.ts';
import type { Constant } from './initialiser.ts';
import type { Node, TensorName } from './node.ts';

/** A two-dimensional convolution with constant weights and bias. */
export interface Convolution {
  node: Node;
  input: TensorName;
  output: TensorName;
  weights: Constant;
  /** Of the weights: [outputs, inputs per group, rows, columns]. */
  dims: readonly [number, number, number, number];
  bias: Constant | undefined;
  group: number;
  /** As the node states them. */
  attributes: Readonly<Record<string, Attribute>>;
}

/**
 * Channels in a block of ONNX Runtime's blocked layout (NCHWc) on processors with AVX-512. The output channels of a
 * convolution are padded to a multiple.
 */
export const BLOCK_CHANNELS = 16;

const ATTRIBUTES: readonly string[] = ['auto_pad', 'dilations', 'group', 'kernel_shape', 'pads', 'strides'];

/** @returns undefined for any other node, and for a convolution with unknown attributes or invalid shapes. */
export function convolutionOf(graph: EditableGraph, node: Node | undefined): Convolution | undefined {
  if (node?.opType !== 'Conv' || node.domain !== '' || node.attributes === undefined) return undefined;
  const [input, weightsName, biasName] = node.inputs;
  const [output] = node.outputs;
  const weights = graph.constant(weightsName);
  const bias = graph.constant(biasName);
  if (!input || !output || weights?.dims.length !== 4) return undefined;
  const dims = weights.dims as readonly number[] as Convolution['dims'];
  if (biasName && (bias?.dims.length !== 1 || bias.dims[0] !== dims[0])) return undefined;
  if (Object.keys(node.attributes).some((name) => !ATTRIBUTES.includes(name))) return undefined;
  const group = intOf(node.attributes.group, 1);
  if (dims.some((dim) => dim < 1) || group < 1 || dims[0] % group !== 0) return undefined;
  return { node, input, output, weights, dims, bias, group, attributes: node.attributes };
}

function intOf(attribute: Attribute | undefined, absent: number): number {
  if (attribute === undefined) return absent;
  return 'int' in attribute ? attribute.int : Number.NaN;
}

/** How a kernel moves over its input. */
export interface KernelGeometry {
  kernel: readonly number[];
  strides: readonly number[];
  pads: readonly number[];
  dilations: readonly number[];
  autoPad: string;
}

/** With the defaults of attributes that the node does not state. */
export function geometryOf({ dims, attributes }: Convolution): KernelGeometry {
  const ints = (name: string, absent: readonly number[]) => {
    const attribute = attributes[name];
    if (attribute === undefined) return absent;
    return 'ints' in attribute ? attribute.ints : [Number.NaN];
  };
  const autoPad = attributes.auto_pad;
  return {
    kernel: ints('kernel_shape', dims.slice(2)),
    strides: ints('strides', [1, 1]),
    pads: ints('pads', [0, 0, 0, 0]),
    dilations: ints('dilations', [1, 1]),
    autoPad: autoPad && 'string' in autoPad ? autoPad.string : 'NOTSET',
  };
}

/** A depthwise 1×1 convolution, which multiplies each channel by a factor. */
export function channelScaling(
  input: TensorName,
  factors: TensorName,
  channels: number,
  output: TensorName,
): GraphNode {
  const attributes = { group: { int: channels }, kernel_shape: { ints: [1, 1] } };
  return { opType: 'Conv', inputs: [input, factors], outputs: [output], attributes };
}

/**
 * The number of channels (axis 1) of a tensor with four dimensions, or undefined if either is uncertain. It follows from
 * the nodes: the shapes that a file states for its tensors are unreliable, because exporters get them wrong.
 */
export function channelsOf(graph: EditableGraph, tensor: TensorName | undefined): number | undefined {
  const node = tensor ? graph.producerOf(tensor) : undefined;
  if (node === undefined || node.domain !== '' || node.outputs[0] !== tensor) return undefined;
  if (node.opType === 'Conv') return convolutionOf(graph, node)?.dims[0];
  if (node.opType === 'Add') return channelsOfSum(graph, node);
  return SHAPE_PRESERVING.includes(node.opType) ? channelsOf(graph, node.inputs[0]) : undefined;
}

/** Operators whose first output has the shape of their first input. */
const SHAPE_PRESERVING: readonly string[] = ['BatchNormalization', 'LeakyRelu', 'PRelu', 'Relu', 'Sigmoid'];

/** Terms of an Add may be broadcast, so both must have the channels. One must be a convolution, which ends the search. */
function channelsOfSum(graph: EditableGraph, { inputs }: Node): number | undefined {
  const known = inputs.findIndex((input) => graph.producerOf(input)?.opType === 'Conv');
  const channels = convolutionOf(graph, graph.producerOf(inputs[known] ?? ''))?.dims[0];
  return channels === channelsOf(graph, inputs[1 - known]) ? channels : undefined;
}
