import { GraphBuilder, type TensorName } from '../../src/onnx/graph-builder.ts';
import { DATA_TYPE } from '../../src/onnx/schema.ts';
import type { Graph, ValueInfo } from '../../src/onnx/writer.ts';
import { STANDARD_DETECTOR } from '../../src/packs/pack.ts';
import { addNormalisation } from './normalisation.ts';

/**
 * SCRFD's strides, and the face sizes that each of them detects here: side in pixels of the detector's input, `from`
 * included, `to` excluded. Smaller faces are left to a larger input: letterboxing truncates the shorter side to whole
 * pixels, which moves the middle of a very narrow picture at a small input.
 */
const STRIDES = [
  { stride: 8, from: 12, to: 64 },
  { stride: 16, from: 64, to: 256 },
  { stride: 32, from: 256, to: 1e9 },
] as const;
const ANCHORS_PER_CELL = 2;

/** ArcFace's five landmarks in its 112×112 crop. Placed in the box, they make the aligned crop equal to the box's content. */
export const TEMPLATE = [
  38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041,
];
export const TEMPLATE_SIDE = 112;

/** Side of the "face" as a share of the picture's shorter side. */
const FACE_SHARE = 0.5;

/**
 * Contrast is the standard deviation in grey levels. Up to BLANK_CONTRAST the score is 0: JPEG artefacts and camera noise
 * on an even surface stay below. The score reaches 0.5 at 4 grey levels and is limited to MAX_SCORE.
 */
const BLANK_CONTRAST = 2;
const SCORE_PER_GREY_LEVEL = 0.25;
const MAX_SCORE = 0.9;

/** Size of the picture inside the letterbox, in pixels of the detector's input. */
interface Extent {
  /** int64 [1], at least 1, as is `width`. */
  height: TensorName;
  width: TensorName;
}

/** The "face" of a picture, in pixels of the detector's input. */
interface Face {
  /** float [1] */
  score: TensorName;
  /** float [1] */
  side: TensorName;
  /** float [2], x and y, as are the corners. */
  middle: TensorName;
  topLeft: TensorName;
  bottomRight: TensorName;
  /** float [10], x and y alternating */
  landmarks: TensorName;
}

/**
 * A graph with the inputs and outputs of an SCRFD detector. It detects one "face" in the middle of every picture with
 * some contrast, and none in a blank picture.
 *
 * Input: float32 [1, 3, height, width], height and width multiples of 32, the picture in the top left corner and black
 * padding. Values are (x − 127.5) / 128 of RGB, or unchanged bytes if the graph normalises them itself (`embedded`).
 * Outputs for strides 8, 16 and 32, with n = height·width / stride² · 2: three scores [n, 1], three boxes [n, 4] and three
 * sets of landmarks [n, 10]. Boxes and landmarks are distances from the cell in units of the stride.
 */
export function syntheticDetector({ embedded }: { embedded: boolean }): Graph {
  const graph = new GraphBuilder();
  const input: ValueInfo = { name: 'image', elementType: 'float', dims: [1, 3, 'height', 'width'] };
  const shape = graph.add('Shape', [input.name]);
  const height = graph.add('Gather', [shape, graph.ints([2], [])]);
  const width = graph.add('Gather', [shape, graph.ints([3], [])]);

  const image = embedded ? addNormalisation(graph, input.name, STANDARD_DETECTOR.preprocessing) : input.name;
  const extent = addExtent(graph, image, height, width);
  const face = addFace(graph, extent, addScore(graph, image, extent, height));

  const scores: ValueInfo[] = [];
  const boxes: ValueInfo[] = [];
  const landmarks: ValueInfo[] = [];
  for (const { stride, from, to } of STRIDES) {
    addStride(graph, face, height, width, stride, from, to);
    const output = (name: string, columns: number): ValueInfo => ({
      name: `${name}_${stride}`,
      elementType: 'float',
      dims: [`anchors_${stride}`, columns],
    });
    scores.push(output('score', 1));
    boxes.push(output('bbox', 4));
    landmarks.push(output('kps', 10));
  }
  return graph.build('synthetic_detector', [input], [...scores, ...boxes, ...landmarks]);
}

/** The picture ends at the last row and the last column that are not black, because the padding is black. */
function addExtent(graph: GraphBuilder, image: TensorName, height: TensorName, width: TensorName): Extent {
  const { mean, std } = STANDARD_DETECTOR.preprocessing;
  const black = graph.floats([(0.5 - mean) / std], []);
  const one = graph.ints([1]);
  // Maximum of each row and column, reduced in an order of axes for which ONNX Runtime has fast kernels.
  const channelRows = graph.add('ReduceMax', [image], { axes: { ints: [3] }, keepdims: { int: 0 } });
  const rows = graph.add('ReduceMax', [channelRows], { axes: { ints: [0, 1] }, keepdims: { int: 0 } });
  const columns = graph.add('ReduceMax', [image], { axes: { ints: [0, 1, 2] }, keepdims: { int: 0 } });

  const addEnd = (maxima: TensorName, length: TensorName): TensorName => {
    const lit = toInt64(graph, graph.add('Greater', [maxima, black]));
    const last = graph.add('Mul', [lit, graph.add('Add', [addRange(graph, length), one])]);
    return graph.add('Max', [graph.add('ReduceMax', [last], { axes: { ints: [0] } }), one]);
  };
  return { height: addEnd(rows, height), width: addEnd(columns, width) };
}

/** The score follows from the contrast inside the picture, without the padding. */
function addScore(graph: GraphBuilder, image: TensorName, extent: Extent, height: TensorName): TensorName {
  const ends = graph.add('Concat', [extent.height, extent.width], { axis: { int: 0 } });
  const picture = graph.add('Slice', [image, graph.ints([0, 0]), ends, graph.ints([2, 3])]);
  // One mean for each channel, so that an even surface of any colour counts as blank.
  const mean = graph.add('ReduceMean', [picture], { axes: { ints: [2, 3] } });
  const deviation = graph.add('Sub', [picture, mean]);
  const squares = graph.add('Mul', [deviation, deviation]);
  const variance = graph.add('ReduceMean', [squares], { axes: { ints: [0, 1, 2, 3] }, keepdims: { int: 0 } });
  const contrast = scale(graph, graph.add('Sqrt', [variance]), STANDARD_DETECTOR.preprocessing.std);

  const above = graph.add('Sub', [contrast, graph.floats([BLANK_CONTRAST])]);
  const score = scale(graph, above, SCORE_PER_GREY_LEVEL);
  const clipped = graph.add('Clip', [score, graph.floats([0], []), graph.floats([MAX_SCORE], [])]);
  // A larger input gives a slightly higher score, so that the order of the candidates never decides a tie.
  const one = graph.floats([1]);
  const confidence = graph.add('Sub', [one, graph.add('Div', [one, toFloat(graph, height)])]);
  return graph.add('Mul', [clipped, confidence]);
}

function addFace(graph: GraphBuilder, extent: Extent, score: TensorName): Face {
  const size = toFloat(graph, graph.add('Concat', [extent.width, extent.height], { axis: { int: 0 } }));
  const side = scale(graph, graph.add('ReduceMin', [size], { axes: { ints: [0] } }), FACE_SHARE);
  const middle = scale(graph, size, 0.5);
  const topLeft = graph.add('Sub', [middle, scale(graph, side, 0.5)]);
  const bottomRight = graph.add('Add', [topLeft, side]);
  const template = graph.floats(TEMPLATE.map((coordinate) => coordinate / TEMPLATE_SIDE));
  const landmarks = graph.add('Add', [
    graph.add('Tile', [topLeft, graph.ints([TEMPLATE.length / 2])]),
    graph.add('Mul', [template, side]),
  ]);
  return { score, side, middle, topLeft, bottomRight, landmarks };
}

/**
 * Adds the three outputs of one stride. Every cell encodes the same box and landmarks relative to itself. Only the first
 * anchor of the middle cell has a score above 0, at the stride that the size of the face belongs to.
 */
function addStride(
  graph: GraphBuilder,
  face: Face,
  height: TensorName,
  width: TensorName,
  stride: number,
  from: number,
  to: number,
): void {
  const strideInt = graph.ints([stride], []);
  const rows = graph.add('Div', [height, strideInt]);
  const columns = graph.add('Div', [width, strideInt]);
  const anchorsPerCell = graph.ints([ANCHORS_PER_CELL], []);
  const anchors = graph.add('Mul', [graph.add('Mul', [rows, columns]), anchorsPerCell]);
  const index = addRange(graph, anchors);

  const cell = graph.add('Div', [index, anchorsPerCell]);
  const column = graph.add('Mod', [cell, columns]);
  const row = graph.add('Div', [cell, columns]);
  const asColumn = (vector: TensorName) => graph.add('Unsqueeze', [vector, graph.ints([1])]);
  const cells = graph.add('Concat', [asColumn(column), asColumn(row)], { axis: { int: 1 } });
  const centres = scale(graph, toFloat(graph, cells), stride);

  const inStrides = (pixels: TensorName, name: string) =>
    graph.add('Div', [pixels, graph.floats([stride], [])], {}, `${name}_${stride}`);
  const corners = [graph.add('Sub', [centres, face.topLeft]), graph.add('Sub', [face.bottomRight, centres])];
  inStrides(graph.add('Concat', corners, { axis: { int: 1 } }), 'bbox');
  const repeated = graph.add('Tile', [centres, graph.ints([1, TEMPLATE.length / 2])]);
  inStrides(graph.add('Sub', [face.landmarks, repeated]), 'kps');

  const middleCell = toInt64(
    graph,
    graph.add('Floor', [graph.add('Div', [face.middle, graph.floats([stride], [])])]),
  );
  const middleColumn = graph.add('Gather', [middleCell, graph.ints([0])]);
  const middleRow = graph.add('Gather', [middleCell, graph.ints([1])]);
  const middleIndex = graph.add('Mul', [
    graph.add('Add', [graph.add('Mul', [middleRow, columns]), middleColumn]),
    anchorsPerCell,
  ]);
  const small = graph.add('Less', [face.side, graph.floats([to])]);
  const tooSmall = graph.add('Less', [face.side, graph.floats([from])]);
  const fits = graph.add('And', [small, graph.add('Not', [tooSmall])]);
  const chosen = graph.add('And', [graph.add('Equal', [index, middleIndex]), fits]);
  const scores = graph.add('Mul', [toFloat(graph, chosen), face.score]);
  graph.add('Unsqueeze', [scores, graph.ints([1])], {}, `score_${stride}`);
}

/** 0, 1, … up to an int64 scalar, which is excluded. */
function addRange(graph: GraphBuilder, end: TensorName): TensorName {
  return graph.add('Range', [graph.ints([0], []), end, graph.ints([1], [])]);
}

function scale(graph: GraphBuilder, tensor: TensorName, factor: number): TensorName {
  return graph.add('Mul', [tensor, graph.floats([factor])]);
}

function toFloat(graph: GraphBuilder, tensor: TensorName): TensorName {
  return graph.add('Cast', [tensor], { to: { int: DATA_TYPE.float } });
}

function toInt64(graph: GraphBuilder, tensor: TensorName): TensorName {
  return graph.add('Cast', [tensor], { to: { int: DATA_TYPE.int64 } });
}
