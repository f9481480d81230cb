import type { ValueInfo } from '../writer.ts';
import type { EditableGraph } from './editable-graph.ts';
import type { TensorName } from './node.ts';
import { findScrfdHeads, type ScoreBranch, type ScrfdHead, type ValueBranch } from './scrfd-heads.ts';

/** A 3×3 convolution with a border of zeros that the caller computes at the cells it needs. */
export interface DeferredConvolution {
  /** outputs × channels × 3 × 3. */
  weights: Float32Array;
  /** outputs. */
  bias: Float32Array;
}

/** What the caller computes at one stride. */
export interface DeferredHead {
  /** The output with the input of both convolutions: 1 × channels × rows × columns, with only the {@link kept} rows. */
  features: TensorName;
  /** The output that says which rows of the feature map are present: a boolean for each. */
  kept: TensorName;
  channels: number;
  /** With BOX_VALUES outputs for each anchor. */
  boxes: DeferredConvolution;
  /** With LANDMARK_VALUES outputs for each anchor. */
  landmarks: DeferredConvolution;
}

export interface DeferredHeads {
  /** The added input: one number, which a score must exceed for its row to be kept. */
  threshold: TensorName;
  /** One for each stride, in the order of the outputs. */
  levels: DeferredHead[];
}

/**
 * Moves the box and landmark convolutions of SCRFD out of the graph. It computes them for every anchor, 16,800 at
 * 640 × 640, although only those of one or two faces are read: a tenth of the network's arithmetic. The tensors that
 * these convolutions read become outputs instead, reduced to the rows with a score above a threshold and the rows next to
 * them, which the kernels read. All rows would be 2 MB, and ONNX Runtime's binding copies outputs into new memory even if
 * it is given memory to write to: that took a tenth of the detector's time, and as much again in garbage collection.
 *
 * @returns what the caller computes. The outputs of the graph are then three scores, three feature maps and three lists
 *   of rows. Undefined if the graph is not such a detector, which is then unchanged.
 */
export function deferHeads(graph: EditableGraph): DeferredHeads | undefined {
  const heads = findScrfdHeads(graph);
  if (heads === undefined) return undefined;
  const threshold = graph.freshName('score_threshold');
  graph.addInput({ name: threshold, elementType: 'float', dims: [1] });
  const levels = heads.map((head) => ({ head, ...keepRows(graph, head, threshold) }));
  graph.replaceOutputs([
    ...heads.map(({ score }) => floatTensor(score, [`${score}_anchors`, 1])),
    ...levels.map(({ head, features }) =>
      floatTensor(features, [1, channelsOf(head), `${features}_rows`, `${features}_columns`]),
    ),
    ...levels.map(({ kept }): ValueInfo => ({ name: kept, elementType: 'bool', dims: [`${kept}_rows`] })),
  ]);
  for (const { boxes, landmarks } of heads) {
    for (const node of [...boxes.nodes, ...landmarks.nodes]) graph.replace([node], []);
  }
  return {
    threshold,
    levels: levels.map(({ head, features, kept }) => ({
      features,
      kept,
      channels: channelsOf(head),
      boxes: deferredConvolution(head.boxes),
      landmarks: deferredConvolution(head.landmarks),
    })),
  };
}

const channelsOf = ({ boxes }: ScrfdHead): number => boxes.convolution.dims[1];

function floatTensor(name: TensorName, dims: (number | string)[]): ValueInfo {
  return { name, elementType: 'float', dims };
}

/** Adds the nodes that find the rows to keep and take them out of the features. */
function keepRows(
  graph: EditableGraph,
  { scores, features }: ScrfdHead,
  threshold: TensorName,
): Pick<DeferredHead, 'features' | 'kept'> {
  const name = (part: string) => graph.freshName(`${features}_${part}`);
  const integers = (numbers: number[], part: string) =>
    graph.addConstant(BigInt64Array.from(numbers, BigInt), [numbers.length], `${features}_${part}`);
  const highest = name('highest');
  const best = scores.hasSigmoid ? name('best') : highest;
  const near = name('best_near');
  const exceeding = name('exceeding');
  const kept = name('kept');
  const rows = name('rows');
  graph.append([
    reduceToRows(graph, scores, integers, highest),
    // A Sigmoid is monotonic, so it is enough to apply it to the maximum of each row.
    ...(scores.hasSigmoid ? [{ opType: 'Sigmoid', inputs: [highest], outputs: [best], attributes: {} }] : []),
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

/** The maximum over all axes but the rows. Since opset 18 the axes are an input. */
function reduceToRows(
  graph: EditableGraph,
  { convolution }: ScoreBranch,
  integers: (numbers: number[], part: string) => TensorName,
  output: TensorName,
) {
  const axes = [0, 1, 3];
  const { inputs, attributes } =
    graph.opset < 18
      ? { inputs: [convolution.output], attributes: { axes: { ints: axes } } }
      : { inputs: [convolution.output, integers(axes, 'axes')], attributes: {} };
  return { opType: 'ReduceMax', inputs, outputs: [output], attributes };
}

function deferredConvolution({ convolution, factor }: ValueBranch): DeferredConvolution {
  const scaled = (numbers: Float32Array) => numbers.map((number) => number * factor);
  const bias = convolution.bias?.floats() ?? new Float32Array(convolution.dims[0]);
  return { weights: scaled(convolution.weights.floats()), bias: scaled(bias) };
}
