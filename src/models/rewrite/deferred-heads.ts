import { ANCHORS, BOX_VALUES, LANDMARK_VALUES } from '../scrfd.ts';
import { type Convolution, convolutionOf, walkKey, walkOf } from './convolution.ts';
import type { EditableGraph, Node, TensorName } from './editable-graph.ts';

/** A convolution of 3 × 3 with a border of zeros, to be computed outside of the graph at the cells where it is wanted. */
export interface DeferredConvolution {
  /** outputs × channels × 3 × 3. */
  weights: Float32Array;
  /** outputs. */
  bias: Float32Array;
}

/** What is left to be computed at one stride. */
export interface DeferredHead {
  /** The graph's output that both convolutions read: 1 × channels × rows × columns. */
  features: TensorName;
  channels: number;
  /** Of each anchor BOX_VALUES outputs. */
  boxes: DeferredConvolution;
  /** Of each anchor LANDMARK_VALUES outputs. */
  landmarks: DeferredConvolution;
}

/** The outputs of SCRFD: scores, boxes and landmarks, at each of three strides. */
const LEVELS = 3;
const KINDS = 3;

const WALK = walkKey({
  kernel: [3, 3],
  strides: [1, 1],
  pads: [1, 1, 1, 1],
  dilations: [1, 1],
  autoPad: 'NOTSET',
});

/** From channels first to channels last; with one picture both give the same order. */
const CHANNELS_LAST: readonly string[] = ['[2,3,0,1]', '[0,2,3,1]'];

/**
 * SCRFD computes boxes and landmarks of every anchor, 16,800 of a picture at 640 × 640, of which those of a face or two are
 * looked at: a tenth of the whole network's arithmetic. Their convolutions are taken out of the graph, and the tensors
 * that they read become its outputs instead.
 *
 * @returns what was taken out, a stride each in the order of the outputs; the outputs are now three scores and three
 *   features. Undefined where the graph is no such detector; it is as it was then.
 */
export function deferHeads(graph: EditableGraph): DeferredHead[] | undefined {
  const { outputs } = graph;
  if (outputs.length !== LEVELS * KINDS) return undefined;
  const found = outputs.slice(0, LEVELS).map((score, level) => {
    const features = featuresOfScore(graph, score);
    const boxes = traceRows(graph, outputs[LEVELS + level] as TensorName, BOX_VALUES);
    const landmarks = traceRows(graph, outputs[2 * LEVELS + level] as TensorName, LANDMARK_VALUES);
    if (!boxes || !landmarks || !features) return undefined;
    if (features !== boxes.convolution.input || features !== landmarks.convolution.input) return undefined;
    return { score, features, boxes, landmarks };
  });
  const heads = found.filter((head) => head !== undefined);
  if (heads.length !== LEVELS || new Set(heads.map(({ features }) => features)).size !== LEVELS)
    return undefined;

  graph.restateOutputs([
    ...heads.map(
      ({ score }) => ({ name: score, elementType: 'float', dims: [`${score}_anchors`, 1] }) as const,
    ),
    ...heads.map(({ features, boxes }) => {
      const dims = [1, boxes.convolution.dims[1], `${features}_rows`, `${features}_columns`];
      return { name: features, elementType: 'float', dims } as const;
    }),
  ]);
  for (const { boxes, landmarks } of heads) {
    for (const node of [...boxes.nodes, ...landmarks.nodes]) graph.replace([node], []);
  }
  return heads.map(({ features, boxes, landmarks }) => ({
    features,
    channels: boxes.convolution.dims[1],
    boxes: boxes.deferred(),
    landmarks: landmarks.deferred(),
  }));
}

/** @returns what the convolution of the scores reads, where that is not the picture itself. */
function featuresOfScore(graph: EditableGraph, score: TensorName): TensorName | undefined {
  let node = graph.producerOf(score);
  while (node && ['Reshape', 'Sigmoid', 'Transpose'].includes(node.opType)) {
    node = graph.producerOf(node.inputs[0] ?? '');
  }
  const convolution = convolutionOf(graph, node);
  return convolution && graph.producerOf(convolution.input) && convolution.input;
}

interface Rows {
  convolution: Convolution;
  /** From the convolution to the output. */
  nodes: Node[];
  deferred(): DeferredConvolution;
}

/** Looks back from an output for what gives it: a convolution, perhaps a scaling, a Transpose and a Reshape. */
function traceRows(graph: EditableGraph, output: TensorName, values: number): Rows | undefined {
  const nodes: Node[] = [];
  const stepBack = (tensor: TensorName | undefined, opType: string): Node | undefined => {
    const node = tensor ? graph.producerOf(tensor) : undefined;
    if (node?.domain !== '' || node.opType !== opType) return undefined;
    // Nobody else may see what is about to disappear.
    if (nodes.length === 0 ? graph.consumersOf(output).length > 0 : !isSeenOnce(graph, tensor))
      return undefined;
    nodes.unshift(node);
    return node;
  };
  const reshape = stepBack(output, 'Reshape');
  const transpose = stepBack(reshape?.inputs[0], 'Transpose');
  if (!reshape || !transpose || graph.integers(reshape.inputs[1])?.at(-1) !== values) return undefined;
  const perm = transpose.attributes?.perm;
  if (!perm || !('ints' in perm) || !CHANNELS_LAST.includes(JSON.stringify(perm.ints))) return undefined;

  const scaling = stepBack(transpose.inputs[0], 'Mul');
  const { value: factor, input } = scaling
    ? factorOf(graph, scaling)
    : { value: 1, input: transpose.inputs[0] };
  const convolution = convolutionOf(graph, stepBack(input, 'Conv'));
  if (convolution?.group !== 1 || walkKey(walkOf(convolution)) !== WALK) return undefined;
  const [outputs] = convolution.dims;
  if (outputs !== ANCHORS * values) return undefined;
  return {
    convolution,
    nodes,
    deferred() {
      const scale = (numbers: Float32Array) => numbers.map((number) => number * factor);
      const bias = convolution.bias?.floats() ?? new Float32Array(outputs);
      return { weights: scale(convolution.weights.floats()), bias: scale(bias) };
    },
  };
}

function isSeenOnce(graph: EditableGraph, tensor: TensorName | undefined): boolean {
  return tensor !== undefined && graph.soleConsumerOf(tensor) !== undefined;
}

/** A learnt number that all are multiplied with, and what it multiplies; no input where there is no such number. */
function factorOf(
  graph: EditableGraph,
  { inputs: [first, second] }: Node,
): { value: number; input: TensorName | undefined } {
  for (const [constant, input] of [
    [second, first],
    [first, second],
  ]) {
    const [value, ...more] = graph.constant(constant)?.floats() ?? [];
    if (value !== undefined && more.length === 0) return { value, input };
  }
  return { value: 1, input: undefined };
}
