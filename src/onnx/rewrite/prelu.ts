import type { GraphNode } from '../writer.ts';
import { channelScaling, channelsOf } from './convolution.ts';
import type { EditableGraph } from './editable-graph.ts';
import type { Node, TensorName } from './node.ts';

/**
 * Rewrites PReLU into operators that ONNX Runtime computes in its blocked layout (NCHWc). Its own PReLU is a slow scalar
 * loop that needs the tensor converted to the plain layout and back.
 *
 * With slope a, PReLU(x) = x + (1 − a) · Relu(−x): exactly x for x ≥ 0, and x − (1 − a) · x for x < 0, with any slope.
 * It takes two passes over the tensor: both scalings are depthwise 1×1 convolutions, into which the runtime fuses the
 * Relu and the addition.
 *
 * A PReLU with one slope for all channels is a LeakyRelu, which the runtime fuses into the convolution before it.
 *
 * @returns the number of PReLUs rewritten.
 */
export function rewritePrelu(graph: EditableGraph): number {
  const constants = new ScalingConstants(graph);
  let count = 0;
  for (const node of graph.nodesOf('PRelu')) {
    const nodes = leakyReluFor(graph, node) ?? scalingsFor(graph, node, constants);
    if (nodes === undefined) continue;
    graph.replace([node], nodes);
    count++;
  }
  return count;
}

function leakyReluFor(graph: EditableGraph, { inputs, outputs }: Node): GraphNode[] | undefined {
  const [input, slopeName] = inputs;
  const [output] = outputs;
  const slope = graph.constant(slopeName);
  if (!input || !output || !slope || slope.dims.some((dim) => dim !== 1)) return undefined;
  const [alpha] = slope.floats();
  if (alpha === undefined) return undefined;
  return [
    { opType: 'LeakyRelu', inputs: [input], outputs: [output], attributes: { alpha: { float: alpha } } },
  ];
}

function scalingsFor(graph: EditableGraph, node: Node, constants: ScalingConstants): GraphNode[] | undefined {
  const [input, slopeName] = node.inputs;
  const [output] = node.outputs;
  if (!input || !slopeName || !output) return undefined;
  const channels = channelsOf(graph, input);
  const slope = graph.constant(slopeName);
  if (channels === undefined || slope === undefined || !isPerChannel(slope.dims, channels)) return undefined;

  const negated = graph.freshName(`${output}_negated`);
  const negativePart = graph.freshName(`${output}_negative_part`);
  const correction = graph.freshName(`${output}_correction`);
  return [
    channelScaling(input, constants.minusOne(channels), channels, negated),
    { opType: 'Relu', inputs: [negated], outputs: [negativePart], attributes: {} },
    channelScaling(negativePart, constants.oneMinus(slopeName, channels), channels, correction),
    { opType: 'Add', inputs: [correction, input], outputs: [output], attributes: {} },
  ];
}

/**
 * Whether a slope that is broadcast to [batch, channels, rows, columns] has one value per channel or one for all.
 * Broadcasting aligns the last axes, so a slope of shape [C] varies along the columns.
 */
function isPerChannel(dims: readonly number[], channels: number): boolean {
  const aligned = [...Array.from({ length: 4 - dims.length }, () => 1), ...dims];
  const others = [aligned[0], aligned[2], aligned[3]];
  return (
    dims.length <= 4 && others.every((dim) => dim === 1) && (aligned[1] === 1 || aligned[1] === channels)
  );
}

/** The factors of the scalings. PReLUs that share a slope share its factors. */
class ScalingConstants {
  readonly #graph: EditableGraph;
  readonly #names = new Map<string, TensorName>();

  constructor(graph: EditableGraph) {
    this.#graph = graph;
  }

  minusOne(channels: number): TensorName {
    return this.#constant(`minus_one_${channels}`, channels, () => -1);
  }

  oneMinus(slopeName: TensorName, channels: number): TensorName {
    const slopes = this.#graph.constant(slopeName)?.floats() ?? new Float32Array();
    const slopeOf = (channel: number) => slopes[slopes.length === 1 ? 0 : channel] as number;
    return this.#constant(`one_minus_${slopeName}_${channels}`, channels, (channel) => 1 - slopeOf(channel));
  }

  #constant(hint: string, channels: number, factorOf: (channel: number) => number): TensorName {
    let name = this.#names.get(hint);
    if (name === undefined) {
      const factors = Float32Array.from({ length: channels }, (_, channel) => factorOf(channel));
      name = this.#graph.addConstant(factors, [channels, 1, 1, 1], hint);
      this.#names.set(hint, name);
    }
    return name;
  }
}
