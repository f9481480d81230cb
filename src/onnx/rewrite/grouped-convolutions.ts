import type { GraphNode } from '../writer.ts';
import { BLOCK_CHANNELS, type Convolution, convolutionOf } from './convolution.ts';
import type { EditableGraph } from './editable-graph.ts';
import type { Node, TensorName } from './node.ts';

/** Maximum number of channels per group: the number of convolutions after the split is its square. */
const MAX_PER_GROUP = 4;

/** A grouped convolution between two ordinary ones, with optional activations between them. */
interface GroupedBlock {
  before: Convolution;
  activationBefore: Node | undefined;
  grouped: Convolution;
  activationAfter: Node | undefined;
  after: Convolution;
  /** Channels per group, which is also the number of parts. */
  parts: number;
}

/**
 * Splits grouped convolutions with few channels per group, for which ONNX Runtime's blocked layout has no kernel. With
 * n channels per group, channel c goes to part c mod n. Each output part is the sum of depthwise convolutions of the
 * input parts, for which there is a kernel. The convolution before produces the parts (each with a share of its filters)
 * and the one after consumes them (as a sum of convolutions, one for each part), so no channel has to be moved.
 *
 * @returns the number of grouped convolutions split.
 */
export function splitGroupedConvolutions(graph: EditableGraph): number {
  let count = 0;
  for (const node of graph.nodesOf('Conv')) {
    const block = findBlock(graph, convolutionOf(graph, node));
    if (block === undefined) continue;
    new BlockSplitter(graph, block).apply();
    count++;
  }
  return count;
}

function findBlock(graph: EditableGraph, grouped: Convolution | undefined): GroupedBlock | undefined {
  if (grouped === undefined) return undefined;
  const [channels, parts] = grouped.dims;
  const { group } = grouped;
  if (channels !== group * parts || parts < 2 || parts > MAX_PER_GROUP || group % BLOCK_CHANNELS !== 0)
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

/** The node, if it is an activation that treats each channel independently and whose slopes can be split likewise. */
function activationOf(graph: EditableGraph, node: Node | undefined, channels: number): Node | undefined {
  if (node === undefined || node.domain !== '' || node.outputs.length !== 1) return undefined;
  if (node.opType === 'Relu') return node;
  if (node.opType !== 'PRelu') return undefined;
  const dims = graph.constant(node.inputs[1])?.dims;
  const shared = dims?.every((dim) => dim === 1);
  const perChannel = dims?.length === 3 && dims[0] === channels && dims[1] === 1 && dims[2] === 1;
  return shared || perChannel ? node : undefined;
}

/** Builds the replacement of one block. */
class BlockSplitter {
  readonly #graph: EditableGraph;
  readonly #block: GroupedBlock;
  readonly #parts: readonly number[];
  readonly #nodes: GraphNode[] = [];

  constructor(graph: EditableGraph, block: GroupedBlock) {
    this.#graph = graph;
    this.#block = block;
    this.#parts = Array.from({ length: block.parts }, (_, part) => part);
  }

  apply(): void {
    const { before, activationBefore, grouped, activationAfter, after } = this.#block;
    const inputs = this.#splitBefore().map((part, p) => this.#activate(activationBefore, part, p));
    const outputs = this.#splitGrouped(inputs).map((part, q) => this.#activate(activationAfter, part, q));
    this.#splitAfter(outputs);
    const removed = [before.node, activationBefore, grouped.node, activationAfter];
    this.#graph.replace([after.node, ...removed.filter((node) => node !== undefined)], this.#nodes);
  }

  /** Part p has the filters whose index is p modulo the number of parts. */
  #splitBefore(): TensorName[] {
    const { before, parts } = this.#block;
    const [outputs, inputs, rows, columns] = before.dims;
    const weights = before.weights.floats();
    return this.#parts.map((p) => {
      const partWeights = selectRuns(weights, inputs * rows * columns, parts, p);
      return this.#convolve(before, before.input, partWeights, [outputs / parts, inputs, rows, columns], {
        bias: before.bias && selectRuns(before.bias.floats(), 1, parts, p),
      });
    });
  }

  /** Output part q is the sum over the input parts, each with the weights from that part to q. */
  #splitGrouped(inputParts: readonly TensorName[]): TensorName[] {
    const { grouped, parts } = this.#block;
    const [outputs, , rows, columns] = grouped.dims;
    const weights = grouped.weights.floats();
    return this.#parts.map((q) => {
      const filters = selectRuns(weights, parts * rows * columns, parts, q);
      const terms = inputParts.map((input, p) => {
        const partWeights = selectRuns(filters, rows * columns, parts, p);
        const bias = p === 0 && grouped.bias ? selectRuns(grouped.bias.floats(), 1, parts, q) : undefined;
        return this.#convolve(grouped, input, partWeights, [outputs / parts, 1, rows, columns], { bias });
      });
      return this.#sum(terms);
    });
  }

  /** The sum over the parts, each with the weights that all filters have for it. */
  #splitAfter(inputParts: readonly TensorName[]): void {
    const { after, parts } = this.#block;
    const [outputs, inputs, rows, columns] = after.dims;
    const weights = after.weights.floats();
    const terms = inputParts.map((input, p) => {
      const partWeights = selectRuns(weights, rows * columns, parts, p);
      const bias = p === 0 ? after.bias?.floats() : undefined;
      return this.#convolve(after, input, partWeights, [outputs, inputs / parts, rows, columns], { bias });
    });
    this.#sum(terms, after.output);
  }

  /** A convolution with the attributes of the whole one and a part of its weights. */
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
      const partSlopes = selectRuns(slopes, 1, shared ? 1 : this.#block.parts, shared ? 0 : part);
      inputs.push(this.#graph.addConstant(partSlopes, [partSlopes.length, 1, 1], `${slopeName}_part`));
    }
    return this.#add({ opType: node.opType, inputs, attributes: {} }, `${node.outputs[0]}_part`);
  }

  /** A chain of additions: ONNX Runtime fuses each into the convolution that produces the next term. */
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

/** Divides the values into runs and returns those whose index is `part` modulo `parts`, one after the other. */
function selectRuns(
  values: Float32Array,
  runLength: number,
  parts: number,
  part: number,
): Float32Array<ArrayBuffer> {
  const selected = new Float32Array(values.length / parts);
  let offset = 0;
  for (let start = part * runLength; start < values.length; start += parts * runLength) {
    for (let i = 0; i < runLength; i++) selected[offset++] = values[start + i] as number;
  }
  return selected;
}
