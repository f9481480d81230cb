import type { GraphNode } from '../writer.ts';
import { type Convolution, convolutionOf } from './convolution.ts';
import type { EditableGraph, Node, TensorName } from './editable-graph.ts';

/** Most channels a group: the number of pieces is its square. */
const MOST_PER_GROUP = 4;

/** Channels in a block of ONNX Runtime's layout; pieces of other sizes would be padded to it. */
const BLOCK = 16;

/** A convolution over all channels, a grouped one and another over all, with activations or nothing between. */
interface Sandwich {
  before: Convolution;
  activationBefore: Node | undefined;
  grouped: Convolution;
  activationAfter: Node | undefined;
  after: Convolution;
  /** Channels a group, and so into how many parts the channels are dealt. */
  parts: number;
}

/**
 * A grouped convolution with few channels a group has no kernel in ONNX Runtime's blocked layout. Here the channels are
 * dealt like cards into parts, with two channels a group the even and the odd ones: each output part is the sum of
 * depthwise convolutions of the input parts, and those have such a kernel. The convolution before gives the parts
 * (its filters are dealt) and the one after takes them (a sum of convolutions, one for each part), so that no
 * channel is ever moved.
 *
 * @returns how many were split.
 */
export function splitGroupedConvolutions(graph: EditableGraph): number {
  let count = 0;
  for (const node of graph.nodesOf('Conv')) {
    const sandwich = sandwichAround(graph, convolutionOf(graph, node));
    if (sandwich === undefined) continue;
    new Splitting(graph, sandwich).apply();
    count++;
  }
  return count;
}

function sandwichAround(graph: EditableGraph, grouped: Convolution | undefined): Sandwich | undefined {
  if (grouped === undefined) return undefined;
  const [channels, parts] = grouped.dims;
  const { group } = grouped;
  if (channels !== group * parts || parts < 2 || parts > MOST_PER_GROUP || group % BLOCK !== 0)
    return undefined;

  const activationBefore = activationOf(graph, graph.producerOf(grouped.input), channels);
  const source = activationBefore?.inputs[0] ?? grouped.input;
  const before = convolutionOf(graph, graph.producerOf(source));
  const activationAfter = activationOf(graph, graph.soleConsumerOf(grouped.output), channels);
  const result = activationAfter?.outputs[0] ?? grouped.output;
  const after = convolutionOf(graph, graph.soleConsumerOf(result));

  if (before?.group !== 1 || before.dims[0] !== channels) return undefined;
  if (after?.group !== 1 || after.input !== result || after.dims[1] !== channels) return undefined;
  if ([source, grouped.input].some((tensor) => graph.soleConsumerOf(tensor) === undefined)) return undefined;
  return { before, activationBefore, grouped, activationAfter, after, parts };
}

/** The node, if it treats every channel by itself and its slopes, if it has any, can be dealt like the channels. */
function activationOf(graph: EditableGraph, node: Node | undefined, channels: number): Node | undefined {
  if (node === undefined || node.domain !== '' || node.outputs.length !== 1) return undefined;
  if (node.opType === 'Relu') return node;
  if (node.opType !== 'PRelu') return undefined;
  const dims = graph.constant(node.inputs[1])?.dims;
  const shared = dims?.every((dim) => dim === 1);
  const perChannel = dims?.length === 3 && dims[0] === channels && dims[1] === 1 && dims[2] === 1;
  return shared || perChannel ? node : undefined;
}

/** The replacement of one sandwich, while its nodes are put together. */
class Splitting {
  readonly #graph: EditableGraph;
  readonly #sandwich: Sandwich;
  readonly #parts: readonly number[];
  readonly #nodes: GraphNode[] = [];

  constructor(graph: EditableGraph, sandwich: Sandwich) {
    this.#graph = graph;
    this.#sandwich = sandwich;
    this.#parts = Array.from({ length: sandwich.parts }, (_, part) => part);
  }

  apply(): void {
    const { before, activationBefore, grouped, activationAfter, after } = this.#sandwich;
    const inputs = this.#before().map((part, p) => this.#activate(activationBefore, part, p));
    const outputs = this.#grouped(inputs).map((part, q) => this.#activate(activationAfter, part, q));
    this.#after(outputs);
    const gone = [before.node, activationBefore, grouped.node, activationAfter];
    this.#graph.replace([after.node, ...gone.filter((node) => node !== undefined)], this.#nodes);
  }

  /** Part p has every filter whose number leaves p. */
  #before(): TensorName[] {
    const { before, parts } = this.#sandwich;
    const [outputs, inputs, rows, columns] = before.dims;
    const weights = before.weights.floats();
    return this.#parts.map((p) => {
      const dealt = deal(weights, inputs * rows * columns, parts, p);
      return this.#convolve(before, before.input, dealt, [outputs / parts, inputs, rows, columns], {
        bias: before.bias && deal(before.bias.floats(), 1, parts, p),
      });
    });
  }

  /** Output part q is the sum over the input parts, each with the weights that lead from it to that part. */
  #grouped(inputParts: readonly TensorName[]): TensorName[] {
    const { grouped, parts } = this.#sandwich;
    const [outputs, , rows, columns] = grouped.dims;
    const weights = grouped.weights.floats();
    return this.#parts.map((q) => {
      const filters = deal(weights, parts * rows * columns, parts, q);
      const terms = inputParts.map((input, p) => {
        const dealt = deal(filters, rows * columns, parts, p);
        const bias = p === 0 && grouped.bias ? deal(grouped.bias.floats(), 1, parts, q) : undefined;
        return this.#convolve(grouped, input, dealt, [outputs / parts, 1, rows, columns], { bias });
      });
      return this.#sum(terms);
    });
  }

  /** The sum over the parts, each with the inputs of all filters that read from it. */
  #after(inputParts: readonly TensorName[]): void {
    const { after, parts } = this.#sandwich;
    const [outputs, inputs, rows, columns] = after.dims;
    const weights = after.weights.floats();
    const terms = inputParts.map((input, p) => {
      const dealt = deal(weights, rows * columns, parts, p);
      const bias = p === 0 ? after.bias?.floats() : undefined;
      return this.#convolve(after, input, dealt, [outputs, inputs / parts, rows, columns], { bias });
    });
    this.#sum(terms, after.output);
  }

  /** A piece of a convolution: as that one, with other weights. */
  #convolve(
    whole: Convolution,
    input: TensorName,
    weights: Float32Array<ArrayBuffer>,
    dims: readonly number[],
    { bias }: { bias: Float32Array<ArrayBuffer> | undefined },
  ): TensorName {
    const inputs = [input, this.#graph.addConstant(weights, dims, `${whole.output}_part_weights`)];
    if (bias) inputs.push(this.#graph.addConstant(bias, [bias.length], `${whole.output}_part_bias`));
    return this.#add({ opType: 'Conv', inputs, attributes: whole.attributes }, `${whole.output}_part`);
  }

  #activate(node: Node | undefined, input: TensorName, part: number): TensorName {
    if (node === undefined) return input;
    const slopeName = node.inputs[1];
    const slopes = this.#graph.constant(slopeName)?.floats();
    const inputs = [input];
    if (slopeName && slopes) {
      const shared = slopes.length === 1;
      const dealt = deal(slopes, 1, shared ? 1 : this.#sandwich.parts, shared ? 0 : part);
      inputs.push(this.#graph.addConstant(dealt, [dealt.length, 1, 1], `${slopeName}_part`));
    }
    return this.#add({ opType: node.opType, inputs, attributes: {} }, `${node.outputs[0]}_part`);
  }

  /** One addition after another: ONNX Runtime folds each into the convolution that gives the next term. */
  #sum(terms: readonly TensorName[], output?: TensorName): TensorName {
    return terms.reduce((total, term, index) => {
      const node = { opType: 'Add', inputs: [total, term], attributes: {} };
      if (index < terms.length - 1 || output === undefined) return this.#add(node, `${term}_sum`);
      this.#nodes.push({ ...node, outputs: [output] });
      return output;
    });
  }

  #add(node: Omit<GraphNode, 'outputs'>, hint: string): TensorName {
    const output = this.#graph.freshName(hint);
    this.#nodes.push({ ...node, outputs: [output] });
    return output;
  }
}

/** Deals runs of so many values in turns, like cards, and gives the hand of one player. */
function deal(values: Float32Array, run: number, players: number, player: number): Float32Array<ArrayBuffer> {
  const hand = new Float32Array(values.length / players);
  let offset = 0;
  for (let start = player * run; start < values.length; start += players * run) {
    for (let i = 0; i < run; i++) hand[offset++] = values[start + i] as number;
  }
  return hand;
}
