import { GraphBuilder, type TensorName } from '../../src/onnx/graph-builder.ts';
import { ANCHORS, BOX_VALUES, LANDMARK_VALUES, STRIDES } from '../../src/onnx/scrfd-outputs.ts';
import type { Graph, ValueInfo } from '../../src/onnx/writer.ts';
import { addConvolution, type ConvolutionOptions, type NetworkBuilder } from './convolution.ts';
import { type FixedFace, fixedFace, fixedFaceConstant, NO_FACE } from './fixed-face.ts';
import { RandomWeights } from './weights.ts';

/** Channels, and blocks of each stage. */
export interface ScrfdShape {
  stem: readonly [number, number, number];
  stages: readonly number[];
  blocks: readonly number[];
  neck: number;
  head: number;
  /** Convolutions of a head before those of scores, boxes and landmarks. */
  headDepth: number;
}

/**
 * As det_10g of buffalo_l: 4.2 million weights. Source: insightface, detection/scrfd, configs/scrfd/scrfd_10g_bnkps.py.
 */
export const SCRFD_10G: ScrfdShape = {
  stem: [28, 28, 56],
  stages: [56, 88, 88, 224],
  blocks: [3, 4, 2, 3],
  neck: 56,
  head: 80,
  headDepth: 3,
};

const RELU_GAIN = 2;

/**
 * An SCRFD detector with random weights, in the operators that InsightFace exports. Instead of random faces it finds one face, at
 * one place of every picture: see {@link fixedFace}.
 *
 * Input: float32 [1, 3, height, width], multiples of 32, (x − 127.5) / 128 of RGB. Outputs: scores [n, 1] of the three strides,
 * then boxes [n, 4], then landmarks [n, 10].
 */
export function makeScrfd(seed: number, shape: ScrfdShape): Graph {
  const network = { graph: new GraphBuilder(), weights: new RandomWeights(seed) };
  const { graph } = network;
  const input: ValueInfo = { name: 'input.1', elementType: 'float', dims: [1, 3, '?', '?'] };
  const levels = addNeck(network, addBackbone(network, input.name, shape), shape);
  const outputs = levels.map((features, level) => addHead(network, features, level, shape));
  const columnsOf = [1, BOX_VALUES, LANDMARK_VALUES];
  const infos = columnsOf.flatMap((columns, kind) =>
    outputs.map((names): ValueInfo => {
      return { name: names[kind] as TensorName, elementType: 'float', dims: ['', columns] };
    }),
  );
  return graph.build('scrfd', [input], infos);
}

/** @returns the features of strides 8, 16 and 32. */
function addBackbone(
  network: NetworkBuilder,
  image: TensorName,
  { stem, stages, blocks }: ScrfdShape,
): TensorName[] {
  let features = image;
  let inputs = 3;
  for (const [index, outputs] of stem.entries()) {
    features = addActivated(network, features, { inputs, outputs, stride: index === 0 ? 2 : 1 });
    inputs = outputs;
  }
  features = network.graph.add('MaxPool', [features], POOLING);
  const found: TensorName[] = [];
  for (const [stage, outputs] of stages.entries()) {
    const count = blocks[stage] as number;
    for (let block = 0; block < count; block++) {
      const halves = stage > 0 && block === 0;
      features = addBlock(network, features, { inputs, outputs, blocks: count, halves });
      inputs = outputs;
    }
    found.push(features);
  }
  return found.slice(1);
}

const POOLING = { kernel_shape: { ints: [2, 2] }, pads: { ints: [0, 0, 0, 0] }, strides: { ints: [2, 2] } };

function addBlock(
  network: NetworkBuilder,
  input: TensorName,
  { inputs, outputs, blocks, halves }: { inputs: number; outputs: number; blocks: number; halves: boolean },
): TensorName {
  const { graph } = network;
  const inner = addActivated(network, input, { inputs, outputs, stride: halves ? 2 : 1 });
  const branch = addConvolution(network, inner, { inputs: outputs, outputs, gain: 1 / blocks });
  const shortcut = halves
    ? addConvolution(network, graph.add('AveragePool', [input], { ceil_mode: { int: 1 }, ...POOLING }), {
        inputs,
        outputs,
        kernel: 1,
      })
    : input;
  return graph.add('Relu', [graph.add('Add', [branch, shortcut])]);
}

/** A path aggregation network: features are added from coarse to fine, then from fine to coarse. */
function addNeck(
  network: NetworkBuilder,
  features: TensorName[],
  { stages, neck }: ScrfdShape,
): TensorName[] {
  const { graph } = network;
  const inNeck = { inputs: neck, outputs: neck };
  const [low, middle, high] = features.map((each, index) =>
    addConvolution(network, each, { inputs: stages[index + 1] as number, outputs: neck, kernel: 1 }),
  ) as [TensorName, TensorName, TensorName];
  const middleSum = graph.add('Add', [middle, addEnlarged(graph, high, middle)]);
  const lowSum = graph.add('Add', [low, addEnlarged(graph, middleSum, low)]);
  const [fine, medium, coarse] = [lowSum, middleSum, high].map((each) =>
    addConvolution(network, each, inNeck),
  ) as [TensorName, TensorName, TensorName];
  const halved = (each: TensorName) => addConvolution(network, each, { ...inNeck, stride: 2 });
  const mediumSum = graph.add('Add', [medium, halved(fine)]);
  const coarseSum = graph.add('Add', [coarse, halved(mediumSum)]);
  return [
    fine,
    addConvolution(network, mediumSum, inNeck),
    addConvolution(network, coarseSum, { ...inNeck, change: fixedFaceConstant(neck) }),
  ];
}

/** Enlarges features to the size of others. */
function addEnlarged(graph: GraphBuilder, features: TensorName, like: TensorName): TensorName {
  const slice = (tensor: TensorName, from: number, to: number) =>
    graph.add('Slice', [graph.add('Shape', [tensor]), graph.ints([from]), graph.ints([to]), graph.ints([0])]);
  const size = graph.add('Concat', [slice(features, 0, 2), slice(like, 2, 4)], { axis: { int: 0 } });
  return graph.add('Resize', [features, graph.floats([]), graph.floats([]), size], {
    coordinate_transformation_mode: { string: 'asymmetric' },
    mode: { string: 'nearest' },
    nearest_mode: { string: 'floor' },
  });
}

/** @returns the outputs of a stride: scores, boxes, landmarks. */
function addHead(
  network: NetworkBuilder,
  features: TensorName,
  level: number,
  { neck, head, headDepth }: ScrfdShape,
): TensorName[] {
  const { graph } = network;
  const face: FixedFace = STRIDES[level] === 32 ? fixedFace(neck, head, headDepth) : NO_FACE;
  let hidden = features;
  for (let depth = 0; depth < headDepth; depth++) {
    const inputs = depth === 0 ? neck : head;
    hidden = addActivated(network, hidden, { inputs, outputs: head, change: face.hidden(depth) });
  }
  const values = (count: number, change: ConvolutionOptions['change']) =>
    addConvolution(network, hidden, { inputs: head, outputs: ANCHORS * count, gain: OUTPUT_GAIN, change });
  const rows = (tensor: TensorName, count: number) => {
    const last = graph.add('Transpose', [tensor], { perm: { ints: [2, 3, 0, 1] } });
    return graph.add('Reshape', [last, graph.ints([-1, count])]);
  };
  const scores = graph.add('Sigmoid', [rows(values(1, face.scores), 1)]);
  const distances = graph.add('Mul', [values(BOX_VALUES, face.box), graph.floats([1], [])]);
  const landmarks = values(LANDMARK_VALUES, face.landmarks);
  return [scores, rows(distances, BOX_VALUES), rows(landmarks, LANDMARK_VALUES)];
}

/** As a head before its training: outputs are close to their biases. */
const OUTPUT_GAIN = 0.05;

/** A convolution with a ReLU. */
function addActivated(network: NetworkBuilder, input: TensorName, options: ConvolutionOptions): TensorName {
  return network.graph.add('Relu', [addConvolution(network, input, { gain: RELU_GAIN, ...options })]);
}
