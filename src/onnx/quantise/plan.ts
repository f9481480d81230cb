import { convolutionOf } from '../rewrite/convolution.ts';
import type { EditableGraph } from '../rewrite/editable-graph.ts';
import type { Node, TensorName } from '../rewrite/node.ts';
import { fullyConnectedOf } from './fold-normalisations.ts';

/** What of a graph is computed in 8 bits. */
export interface QuantisationPlan {
  /** Convolutions and fully connected layers. */
  layers: Node[];
  /** Tensors that are stored in 8 bits, and whose range must be known. */
  tensors: TensorName[];
  /** Tensors that are stored with the scale of another, because they hold nothing but values of it. */
  sameScale: Map<TensorName, TensorName>;
}

/** Operators whose output holds nothing but values of their first input. */
const PASSING: readonly string[] = ['Flatten', 'MaxPool', 'Resize'];

/** Operators besides {@link PASSING} that ONNX Runtime has in 8 bits, and that are worth it. */
const POOLS: readonly string[] = ['AveragePool', 'GlobalAveragePool'];

/**
 * Chooses what is computed in 8 bits: convolutions, fully connected layers, and the sums, pools and changes of size between them. More
 * would lose accuracy and gain nothing: with every operator in 8 bits, a detector of 57 convolutions missed 12 % of the faces.
 *
 * @param kept convolutions that stay in float32; see {@link firstConvolutions} and {@link lastConvolutions}.
 */
export function planQuantisation(
  graph: EditableGraph,
  kept: ReadonlySet<Node> = new Set(),
): QuantisationPlan {
  const layers: Node[] = [];
  const marked = new Set<TensorName>();
  const sameScale = new Map<TensorName, TensorName>();
  const mark = (tensor: TensorName) => {
    if (!sameScale.has(tensor)) marked.add(tensor);
  };
  const isMarked = (tensor: TensorName | undefined) =>
    tensor !== undefined && (marked.has(tensor) || sameScale.has(tensor));
  /** A Relu is a part of what gives its input: stored values of 0 to 255 leave out what is negative. */
  const resultOf = (output: TensorName) => {
    const next = graph.soleConsumerOf(output);
    return next?.domain === '' && next.opType === 'Relu' ? (next.outputs[0] as TensorName) : output;
  };
  for (const node of graph.nodes) {
    const [input = '', other = ''] = node.inputs;
    const [output = ''] = node.outputs;
    if (node.domain !== '' || graph.isOutput(output)) {
      // Outputs stay in float32. A fully connected layer can give them.
      if (!fullyConnectedOf(graph, node)) continue;
      layers.push(node);
      mark(input);
    } else if (convolutionOf(graph, node) && !kept.has(node)) {
      layers.push(node);
      mark(input);
      mark(resultOf(output));
    } else if (fullyConnectedOf(graph, node)) {
      layers.push(node);
      mark(input);
    } else if (node.opType === 'Add') {
      const areTensors = [input, other].every((name) => graph.producerOf(name) !== undefined);
      if (!areTensors || !(isMarked(input) || isMarked(other))) continue;
      mark(input);
      mark(other);
      mark(resultOf(output));
    } else if (isMarked(input) && PASSING.includes(node.opType) && takesBytes(node)) {
      sameScale.set(output, sameScale.get(input) ?? input);
    } else if (isMarked(input) && POOLS.includes(node.opType)) {
      mark(output);
    }
  }
  return { layers, tensors: [...marked], sameScale };
}

function takesBytes({ opType, attributes }: Node): boolean {
  if (opType !== 'Resize') return true;
  const mode = attributes?.mode;
  return mode === undefined || ('string' in mode && mode.string === 'nearest');
}

/**
 * The convolutions that read an input of the graph. Pixels less a mean of 127.5 lie halfway between the values that a byte would store:
 * half of the grey levels would be lost before anything is computed, and three channels are too few to gain by it.
 */
export function firstConvolutions(graph: EditableGraph): Set<Node> {
  const nodes = graph.inputs.flatMap((input) => graph.consumersOf(input));
  return new Set(nodes.filter((node) => convolutionOf(graph, node) !== undefined));
}

/**
 * The convolutions from which a path leads to an output without another convolution. A detector's give scores, distances and
 * landmarks, whose last digits count: left in float32, landmarks move half as far.
 */
export function lastConvolutions(graph: EditableGraph): Set<Node> {
  const found = new Set<Node>();
  const seen = new Set<TensorName>();
  const waiting = [...graph.outputs];
  for (let tensor = waiting.pop(); tensor !== undefined; tensor = waiting.pop()) {
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    const node = graph.producerOf(tensor);
    if (node?.domain === '' && node.opType === 'Conv') found.add(node);
    else waiting.push(...(node?.inputs ?? []));
  }
  return found;
}
