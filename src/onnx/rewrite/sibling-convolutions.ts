import type { GraphNode } from '../writer.ts';
import { type Convolution, convolutionOf, geometryOf } from './convolution.ts';
import type { EditableGraph } from './editable-graph.ts';
import type { Node, TensorName } from './node.ts';

/**
 * A convolution with this many output channels gains nothing from being merged: ONNX Runtime's blocked kernels process
 * four blocks of 16 channels at once (microsoft/onnxruntime, core/mlas/lib/snchwc.cpp).
 */
export const WIDE = 64;

/** Permitted consumers. A Split leaves the blocked layout, and a convolution that follows would convert back to it. */
const CONSUMERS: readonly string[] = ['Flatten', 'Mul', 'Reshape', 'Sigmoid', 'Transpose'];

/**
 * Merges convolutions that have the same input and geometry and differ only in their weights, such as the score, box and
 * landmark heads of a detector, into one convolution and a Split. The results are bit for bit the same. It is faster
 * because the blocked layout pads 2, 8 and 20 channels to 16, 16 and 32, but all 30 together to 32, and because the input
 * is read once.
 *
 * @returns the number of groups merged.
 */
export function mergeSiblingConvolutions(graph: EditableGraph): number {
  const groups = new Map<string, Convolution[]>();
  for (const node of graph.nodesOf('Conv')) {
    const convolution = convolutionOf(graph, node);
    if (convolution === undefined || !isNarrowHead(graph, convolution)) continue;
    const key = JSON.stringify([convolution.input, convolution.dims[1], geometryOf(convolution)]);
    groups.set(key, [...(groups.get(key) ?? []), convolution]);
  }
  const mergeable = [...groups.values()].filter(({ length }) => length > 1);
  for (const siblings of mergeable) merge(graph, siblings);
  return mergeable.length;
}

function isNarrowHead(graph: EditableGraph, { group, dims, output }: Convolution): boolean {
  return group === 1 && dims[0] < WIDE && isHeadOutput(graph, output);
}

/** Whether a tensor may come from a Split instead of a convolution. */
export function isHeadOutput(graph: EditableGraph, output: TensorName): boolean {
  return graph.consumersOf(output).every(({ opType, domain }) => domain === '' && CONSUMERS.includes(opType));
}

function merge(graph: EditableGraph, siblings: readonly Convolution[]): void {
  const [first] = siblings as [Convolution];
  const channels = siblings.map(({ dims }) => dims[0]);
  const total = channels.reduce((sum, count) => sum + count, 0);
  const [, ...rest] = first.dims;
  const weights = concatenate(siblings.map((sibling) => sibling.weights.floats()));
  const inputs = [
    first.input,
    graph.addConstant(weights, [total, ...rest], `${first.output}_merged_weights`),
  ];
  const biases = biasesOf(siblings);
  if (biases) inputs.push(graph.addConstant(biases, [total], `${first.output}_merged_bias`));
  const merged = graph.freshName(`${first.output}_merged`);
  const convolution = { opType: 'Conv', inputs, outputs: [merged], attributes: first.attributes };
  const outputs = siblings.map(({ output }) => output);
  // At the place of the first, the shared input is available and no output is needed yet.
  const nodes = siblings.map(({ node }) => node) as [Node, ...Node[]];
  graph.replace(nodes, [convolution, splitNode(graph, merged, outputs, channels)]);
}

/** The biases of all siblings; undefined if none has one. */
export function biasesOf(siblings: readonly Convolution[]): Float32Array<ArrayBuffer> | undefined {
  if (siblings.every(({ bias }) => bias === undefined)) return undefined;
  return concatenate(siblings.map(({ bias, dims }) => bias?.floats() ?? new Float32Array(dims[0])));
}

/** The sizes are an input of a Split since opset 13, and an attribute before. */
export function splitNode(
  graph: EditableGraph,
  input: TensorName,
  outputs: readonly TensorName[],
  channels: readonly number[],
): GraphNode {
  const axis = { int: 1 };
  if (graph.opset < 13) {
    return { opType: 'Split', inputs: [input], outputs, attributes: { axis, split: { ints: channels } } };
  }
  const sizes = graph.addConstant(BigInt64Array.from(channels, BigInt), [channels.length], `${input}_sizes`);
  return { opType: 'Split', inputs: [input, sizes], outputs, attributes: { axis } };
}

export function concatenate(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  return Float32Array.from(parts.flatMap((part) => Array.from(part)));
}
