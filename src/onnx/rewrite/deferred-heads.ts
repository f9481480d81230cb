import { type Convolution, convolutionOf, walkKey, walkOf } from './convolution.ts';
import type { EditableGraph, Node, TensorName } from './editable-graph.ts';
import { ANCHORS, BOX_VALUES, LANDMARK_VALUES } from './scrfd.ts';

/** A convolution of 3 × 3 with a border of zeros, to be computed outside of the graph at the cells where it is wanted. */
export interface DeferredConvolution {
  /** outputs × channels × 3 × 3. */
  weights: Float32Array;
  /** outputs. */
  bias: Float32Array;
}

/** What is left to be computed at one stride. */
export interface DeferredHead {
  /** The graph's output that both convolutions read: 1 × channels × rows × columns, of all rows those of {@link kept}. */
  features: TensorName;
  /** The graph's output that says which rows of the feature map are there: a boolean for each. */
  kept: TensorName;
  channels: number;
  /** Of each anchor BOX_VALUES outputs. */
  boxes: DeferredConvolution;
  /** Of each anchor LANDMARK_VALUES outputs. */
  landmarks: DeferredConvolution;
}

/** What is left to be computed, and what the graph has to be told for it. */
export interface DeferredHeads {
  /** The graph's input that says which scores count: one number, that they must exceed. */
  threshold: TensorName;
  /** Of each stride, in the order of the outputs. */
  levels: DeferredHead[];
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
 * that they read become its outputs instead: of their rows, those in which a score exceeds a threshold, and their
 * neighbours, which the kernels see. Whole they are 2 MB, and ONNX Runtime's binding copies outputs into new memory, also
 * where it was given some to write to: that took a tenth of the detector's time, and left V8 as much to collect.
 *
 * @returns what was taken out; the outputs are now three scores, three features and three lists of rows. Undefined where
 *   the graph is no such detector; it is as it was then.
 */
export function deferHeads(graph: EditableGraph): DeferredHeads | undefined {
  const { outputs } = graph;
  if (outputs.length !== LEVELS * KINDS) return undefined;
  const found = outputs.slice(0, LEVELS).map((score, level) => {
    const scored = traceScore(graph, score);
    const features = scored?.convolution.input;
    const boxes = traceRows(graph, outputs[LEVELS + level] as TensorName, BOX_VALUES);
    const landmarks = traceRows(graph, outputs[2 * LEVELS + level] as TensorName, LANDMARK_VALUES);
    if (!boxes || !landmarks || !scored) return undefined;
    if (features !== boxes.convolution.input || features !== landmarks.convolution.input) return undefined;
    return { score, scored, features: boxes.convolution.input, boxes, landmarks };
  });
  const heads = found.filter((head) => head !== undefined);
  if (heads.length !== LEVELS || new Set(heads.map(({ features }) => features)).size !== LEVELS)
    return undefined;

  const threshold = graph.freshName('score_threshold');
  graph.addInput({ name: threshold, elementType: 'float', dims: [1] });
  const levels = heads.map((head) => ({ ...head, ...keepRows(graph, head, threshold) }));
  graph.restateOutputs([
    ...levels.map(
      ({ score }) => ({ name: score, elementType: 'float', dims: [`${score}_anchors`, 1] }) as const,
    ),
    ...levels.map(({ features, boxes }) => {
      const dims = [1, boxes.convolution.dims[1], `${features}_rows`, `${features}_columns`];
      return { name: features, elementType: 'float', dims } as const;
    }),
    ...levels.map(({ kept }) => ({ name: kept, elementType: 'bool', dims: [`${kept}_rows`] }) as const),
  ]);
  for (const { boxes, landmarks } of heads) {
    for (const node of [...boxes.nodes, ...landmarks.nodes]) graph.replace([node], []);
  }
  return {
    threshold,
    levels: levels.map(({ features, kept, boxes, landmarks }) => ({
      features,
      kept,
      channels: boxes.convolution.dims[1],
      boxes: boxes.deferred(),
      landmarks: landmarks.deferred(),
    })),
  };
}

interface Score {
  convolution: Convolution;
  /** Whether the convolution's outputs become scores by a Sigmoid. */
  squashed: boolean;
}

/** Looks back from scores for the convolution that gives them: one as those of boxes are. */
function traceScore(graph: EditableGraph, score: TensorName): Score | undefined {
  let node = graph.producerOf(score);
  let squashed = false;
  while (node?.domain === '' && ['Reshape', 'Sigmoid', 'Transpose'].includes(node.opType)) {
    if (node.opType === 'Sigmoid' && squashed) return undefined;
    squashed ||= node.opType === 'Sigmoid';
    node = graph.producerOf(node.inputs[0] ?? '');
  }
  const convolution = convolutionOf(graph, node);
  if (!convolution || walkKey(walkOf(convolution)) !== WALK) return undefined;
  // Not the picture itself.
  return graph.producerOf(convolution.input) && { convolution, squashed };
}

/** Adds to the graph what finds the rows that matter, and takes them out of the features. */
function keepRows(
  graph: EditableGraph,
  { scored: { convolution, squashed }, features }: { scored: Score; features: TensorName },
  threshold: TensorName,
): Pick<DeferredHead, 'features' | 'kept'> {
  const name = (part: string) => graph.freshName(`${features}_${part}`);
  const integers = (numbers: number[], part: string) =>
    graph.addConstant(BigInt64Array.from(numbers, BigInt), [numbers.length], `${features}_${part}`);
  const highest = name('highest');
  const best = squashed ? name('best') : highest;
  const near = name('best_near');
  const exceeding = name('exceeding');
  const kept = name('kept');
  const rows = name('rows');
  // All axes but that of the rows. Since opset 18 they are an input.
  const axes = [0, 1, 3];
  const reduced =
    graph.opset < 18
      ? { inputs: [convolution.output], attributes: { axes: { ints: axes } } }
      : { inputs: [convolution.output, integers(axes, 'axes')], attributes: {} };
  graph.append([
    { opType: 'ReduceMax', ...reduced, outputs: [highest] },
    // It preserves order, so that the highest score of a row needs no other.
    ...(squashed ? [{ opType: 'Sigmoid', inputs: [highest], outputs: [best], attributes: {} }] : []),
    {
      opType: 'MaxPool',
      inputs: [best],
      outputs: [near],
      attributes: { kernel_shape: { ints: [3, 1] }, pads: { ints: [1, 0, 1, 0] } },
    },
    { opType: 'Greater', inputs: [near, threshold], outputs: [exceeding], attributes: {} },
    { opType: 'Reshape', inputs: [exceeding, integers([-1], 'list')], outputs: [kept], attributes: {} },
    { opType: 'Compress', inputs: [features, kept], outputs: [rows], attributes: { axis: { int: 2 } } },
  ]);
  return { features: rows, kept };
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
