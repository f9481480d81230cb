import { BLOCK_CHANNELS, type Convolution, convolutionOf, geometryOf } from './convolution.ts';
import type { EditableGraph } from './editable-graph.ts';
import type { Node } from './node.ts';
import { biasesOf, concatenate, isHeadOutput, splitNode, WIDE } from './sibling-convolutions.ts';

/** A 1×1 convolution and the depthwise convolution that alone reads its output. */
interface SeparableHead {
  pointwise: Convolution;
  depthwise: Convolution;
}

/**
 * Merges heads that are separable convolutions of the same input, such as the two scores, the box and the landmarks of YuNet, into one
 * of each kind and a Split. The results are the same. It is faster because the blocked layout pads the 1, 1, 4 and 10 channels of these
 * heads to 16 each, of which together there are 16; and because a depthwise convolution with another number of channels leaves
 * that layout.
 *
 * @returns the number of groups merged.
 */
export function mergeSeparableHeads(graph: EditableGraph): number {
  const groups = new Map<string, SeparableHead[]>();
  for (const node of graph.nodesOf('Conv')) {
    const head = separableHeadOf(graph, node);
    if (head === undefined) continue;
    const { pointwise, depthwise } = head;
    const key = JSON.stringify([
      pointwise.input,
      pointwise.dims[1],
      geometryOf(pointwise),
      geometryOf(depthwise),
    ]);
    groups.set(key, [...(groups.get(key) ?? []), head]);
  }
  const mergeable = [...groups.values()].filter(
    (heads) => heads.length > 1 && totalOf(heads) % BLOCK_CHANNELS === 0,
  );
  for (const heads of mergeable) merge(graph, heads);
  return mergeable.length;
}

const totalOf = (heads: readonly SeparableHead[]): number =>
  heads.reduce((sum, { pointwise }) => sum + pointwise.dims[0], 0);

function separableHeadOf(graph: EditableGraph, node: Node): SeparableHead | undefined {
  const pointwise = convolutionOf(graph, node);
  if (pointwise === undefined || pointwise.group !== 1 || pointwise.dims[0] >= WIDE) return undefined;
  if (pointwise.dims[2] !== 1 || pointwise.dims[3] !== 1) return undefined;
  const depthwise = convolutionOf(graph, graph.soleConsumerOf(pointwise.output));
  if (depthwise?.input !== pointwise.output) return undefined;
  const [outputs, inputsPerGroup] = depthwise.dims;
  const isDepthwise = depthwise.group === outputs && inputsPerGroup === 1 && outputs === pointwise.dims[0];
  return isDepthwise && isHeadOutput(graph, depthwise.output) ? { pointwise, depthwise } : undefined;
}

function merge(graph: EditableGraph, heads: readonly SeparableHead[]): void {
  const [{ pointwise: first, depthwise: second }] = heads as [SeparableHead];
  const total = totalOf(heads);
  const pointwise = heads.map((head) => head.pointwise);
  const depthwise = heads.map((head) => head.depthwise);
  const mergedInputs = (siblings: readonly Convolution[], name: string) => {
    const [, ...rest] = (siblings[0] as Convolution).dims;
    const weights = concatenate(siblings.map((sibling) => sibling.weights.floats()));
    const biases = biasesOf(siblings);
    return [
      graph.addConstant(weights, [total, ...rest], `${name}_weights`),
      ...(biases ? [graph.addConstant(biases, [total], `${name}_bias`)] : []),
    ];
  };
  const middle = graph.freshName(`${first.output}_merged`);
  const merged = graph.freshName(`${second.output}_merged`);
  const nodes = [...pointwise, ...depthwise].map(({ node }) => node) as [Node, ...Node[]];
  // At the place of the first, the shared input is available and no output is needed yet.
  graph.replace(nodes, [
    {
      opType: 'Conv',
      inputs: [first.input, ...mergedInputs(pointwise, middle)],
      outputs: [middle],
      attributes: first.attributes,
    },
    {
      opType: 'Conv',
      inputs: [middle, ...mergedInputs(depthwise, merged)],
      outputs: [merged],
      attributes: { ...second.attributes, group: { int: total } },
    },
    splitNode(
      graph,
      merged,
      depthwise.map(({ output }) => output),
      depthwise.map(({ dims }) => dims[0]),
    ),
  ]);
}
