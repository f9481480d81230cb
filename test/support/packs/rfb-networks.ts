import { GraphBuilder, type TensorName } from '../../../src/onnx/graph-builder.ts';
import { LANDMARK_INPUT_SIDE, RFB_INPUT } from '../../../src/onnx/rfb-outputs.ts';
import { type ValueInfo, writeModel } from '../../../src/onnx/writer.ts';

/** An anchor of the stand-in, as the network gives it: the share of a face, and left, top, right, bottom as shares of the input. */
export interface StandInAnchor {
  share: number;
  box: readonly [number, number, number, number];
}

/** A network with the inputs and outputs of RFB that finds the same boxes in every picture. */
export function rfbBoxes(anchors: readonly StandInAnchor[]): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder();
  const scores = anchors.flatMap(({ share }) => [1 - share, share]);
  const boxes = anchors.flatMap(({ box }) => [...box]);
  const outputs = [
    always(graph, scores, [1, anchors.length, 2], 'scores'),
    always(graph, boxes, [1, anchors.length, 4], 'boxes'),
  ];
  return model(graph, [1, 3, RFB_INPUT.height, RFB_INPUT.width], outputs);
}

/** A network that finds the same 68 points in every crop. @param points x0, y0, x1, … as shares of the crop. */
export function rfbLandmarks(points: readonly number[]): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder();
  const outputs = [always(graph, points, [1, points.length], 'output')];
  return model(graph, [1, 1, LANDMARK_INPUT_SIDE, LANDMARK_INPUT_SIDE], outputs);
}

/** Numbers that do not depend on the input. */
function always(
  graph: GraphBuilder,
  values: readonly number[],
  dims: readonly number[],
  name: string,
): { name: TensorName; dims: readonly number[] } {
  const mean = graph.add('ReduceMean', ['input'], { keepdims: { int: 0 } });
  const zero = graph.add('Mul', [mean, graph.floats([0], [])]);
  return { name: graph.add('Add', [graph.floats(values, dims), zero], {}, name), dims };
}

function model(
  graph: GraphBuilder,
  dims: readonly number[],
  outputs: readonly { name: TensorName; dims: readonly number[] }[],
): Uint8Array<ArrayBuffer> {
  const tensor = (name: string, shape: readonly number[]): ValueInfo => ({
    name,
    elementType: 'float',
    dims: [...shape],
  });
  return writeModel(
    { irVersion: 7, opset: 13, producer: 'test' },
    graph.build(
      'rfb',
      [tensor('input', dims)],
      outputs.map((output) => tensor(output.name, output.dims)),
    ),
  );
}
