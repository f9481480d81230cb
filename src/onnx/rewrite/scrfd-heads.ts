import { isDeepStrictEqual } from 'node:util';
import { ANCHORS, BOX_VALUES, LANDMARK_VALUES, OUTPUT_KINDS, STRIDES } from '../scrfd-outputs.ts';
import { type Convolution, convolutionOf, geometryOf, type KernelGeometry } from './convolution.ts';
import type { EditableGraph } from './editable-graph.ts';
import { type Node, permutationOf, type TensorName } from './node.ts';

/** The nodes that give the three outputs of one stride. */
export interface ScrfdHead {
  /** The graph's output. */
  score: TensorName;
  scores: ScoreBranch;
  boxes: ValueBranch;
  landmarks: ValueBranch;
  /** The tensor that all three convolutions read. */
  features: TensorName;
}

export interface ScoreBranch {
  convolution: Convolution;
  /** Whether a Sigmoid turns the convolution's outputs into scores. */
  hasSigmoid: boolean;
}

export interface ValueBranch {
  convolution: Convolution;
  /** A constant factor of the convolution's outputs. */
  factor: number;
  /** From the convolution to the output. */
  nodes: Node[];
}

const GEOMETRY: KernelGeometry = {
  kernel: [3, 3],
  strides: [1, 1],
  pads: [1, 1, 1, 1],
  dilations: [1, 1],
  autoPad: 'NOTSET',
};

/** From channels first to channels last. Both give the same order when the batch is a single picture. */
const CHANNELS_LAST: readonly (string | undefined)[] = ['[2,3,0,1]', '[0,2,3,1]'];

/** @returns a head for each stride, or undefined if the outputs of the graph are not those of SCRFD. */
export function findScrfdHeads(graph: EditableGraph): ScrfdHead[] | undefined {
  const { outputs } = graph;
  if (outputs.length !== STRIDES.length * OUTPUT_KINDS) return undefined;
  const heads = STRIDES.map((_, level) =>
    findHead(
      graph,
      outputs.filter((_, index) => index % STRIDES.length === level),
    ),
  ).filter((head) => head !== undefined);
  const features = new Set(heads.map((head) => head.features));
  return features.size === STRIDES.length ? heads : undefined;
}

function findHead(
  graph: EditableGraph,
  [score = '', box = '', landmark = '']: readonly TensorName[],
): ScrfdHead | undefined {
  const scores = findScoreBranch(graph, score);
  const boxes = findValueBranch(graph, box, BOX_VALUES);
  const landmarks = findValueBranch(graph, landmark, LANDMARK_VALUES);
  if (!scores || !boxes || !landmarks) return undefined;
  const features = scores.convolution.input;
  if (features !== boxes.convolution.input || features !== landmarks.convolution.input) return undefined;
  return { score, scores, boxes, landmarks, features };
}

/** Follows a score output back to its convolution, which must have the geometry of those of boxes. */
function findScoreBranch(graph: EditableGraph, score: TensorName): ScoreBranch | undefined {
  let node = graph.producerOf(score);
  let hasSigmoid = false;
  while (node?.domain === '' && ['Reshape', 'Sigmoid', 'Transpose'].includes(node.opType)) {
    if (node.opType === 'Sigmoid' && hasSigmoid) return undefined;
    hasSigmoid ||= node.opType === 'Sigmoid';
    node = graph.producerOf(node.inputs[0] ?? '');
  }
  const convolution = convolutionOf(graph, node);
  if (!convolution || !isDeepStrictEqual(geometryOf(convolution), GEOMETRY)) return undefined;
  // The input of the graph cannot become an output.
  return graph.producerOf(convolution.input) && { convolution, hasSigmoid };
}

/**
 * Follows an output back to its convolution, through a Reshape, a Transpose and optionally a Mul.
 *
 * @param values of each anchor.
 * @returns undefined if these are not the nodes, or if others consume their results, too.
 */
function findValueBranch(graph: EditableGraph, output: TensorName, values: number): ValueBranch | undefined {
  const nodes: Node[] = [];
  const stepBack = (tensor: TensorName | undefined, opType: string): Node | undefined => {
    const node = tensor ? graph.producerOf(tensor) : undefined;
    if (tensor === undefined || node?.domain !== '' || node.opType !== opType) return undefined;
    const isExclusive =
      tensor === output ? graph.consumersOf(output).length === 0 : graph.soleConsumerOf(tensor) !== undefined;
    if (!isExclusive) return undefined;
    nodes.unshift(node);
    return node;
  };
  const reshape = stepBack(output, 'Reshape');
  const transpose = stepBack(reshape?.inputs[0], 'Transpose');
  if (!reshape || !transpose || graph.integers(reshape.inputs[1])?.at(-1) !== values) return undefined;
  if (!CHANNELS_LAST.includes(permutationOf(transpose))) return undefined;

  const scaling = stepBack(transpose.inputs[0], 'Mul');
  const { factor, input } = scaling ? factorOf(graph, scaling) : { factor: 1, input: transpose.inputs[0] };
  const convolution = convolutionOf(graph, stepBack(input, 'Conv'));
  if (convolution?.group !== 1 || !isDeepStrictEqual(geometryOf(convolution), GEOMETRY)) return undefined;
  return convolution.dims[0] === ANCHORS * values ? { convolution, factor, nodes } : undefined;
}

/** The constant number of a multiplication, and its other input; no input if there is no such number. */
function factorOf(
  graph: EditableGraph,
  { inputs: [first, second] }: Node,
): { factor: number; input: TensorName | undefined } {
  for (const [constant, input] of [
    [second, first],
    [first, second],
  ]) {
    const [factor, ...more] = graph.constant(constant)?.floats() ?? [];
    if (factor !== undefined && more.length === 0) return { factor, input };
  }
  return { factor: 1, input: undefined };
}
