import type { EditableGraph } from '../rewrite/editable-graph.ts';
import type { Node, TensorName } from '../rewrite/node.ts';

/** The first version in which DequantizeLinear takes a scale for each channel. */
const PER_CHANNEL_OPSET = 13;

/** The IR version of ONNX 1.8, which has version 13 of the operator set. */
const IR_VERSION = 7;

/** The oldest version that is lifted. Resize has its present inputs since. */
const MIN_OPSET = 11;

/** The newest version in which the operators that are written here have the semantics that are relied on. */
const MAX_OPSET = 24;

/**
 * Operators that mean the same in versions 11 to 13, with the same inputs and attributes; only types were added. Source: onnx/onnx,
 * docs/Changelog.md. Not among them, for example: Softmax, which works on another axis; ReduceSum, whose axes became an input;
 * Dropout, whose ratio became one.
 */
const UNCHANGED: ReadonlySet<string> = new Set([
  'Add',
  'AveragePool',
  'BatchNormalization',
  'Cast',
  'Clip',
  'Concat',
  'Constant',
  'Conv',
  'Div',
  'Exp',
  'Flatten',
  'Gather',
  'Gemm',
  'GlobalAveragePool',
  'GlobalMaxPool',
  'Identity',
  'LeakyRelu',
  'MatMul',
  'MaxPool',
  'Mul',
  'PRelu',
  'Pad',
  'ReduceMax',
  'ReduceMean',
  'ReduceMin',
  'Relu',
  'Reshape',
  'Resize',
  'Shape',
  'Sigmoid',
  'Slice',
  'Sqrt',
  'Sub',
  'Tanh',
  'Transpose',
]);

/** Operators whose attribute `axes` became an input. */
const AXES_BECAME_INPUT: ReadonlySet<string> = new Set(['Squeeze', 'Unsqueeze']);

/**
 * Lifts a graph to a version of ONNX's operator set in which weights can be quantised per channel. Newer ones are left alone.
 *
 * @throws {Error} naming the operator, if a graph has one that may mean something else in the other version.
 */
export function liftOpset(graph: EditableGraph): void {
  if (graph.opset >= PER_CHANNEL_OPSET && graph.opset <= MAX_OPSET) return;
  if (graph.opset < MIN_OPSET || graph.opset > MAX_OPSET)
    throw new Error(
      `its operator set has version ${graph.opset}; supported are ${MIN_OPSET} to ${MAX_OPSET}`,
    );
  for (const node of graph.nodes) {
    if (node.domain === '' && UNCHANGED.has(node.opType)) continue;
    if (node.domain !== '' || !AXES_BECAME_INPUT.has(node.opType))
      throw new Error(
        `its operator ${[node.domain, node.opType].filter(Boolean).join('.')} is not known to mean the same in version ` +
          `${PER_CHANNEL_OPSET} of the operator set`,
      );
    moveAxes(graph, node);
  }
  graph.setOpset(PER_CHANNEL_OPSET, IR_VERSION);
}

/** Makes the attribute `axes` an input. A Squeeze without axes stays as it is. */
function moveAxes(graph: EditableGraph, node: Node): void {
  const [input] = node.inputs;
  const axes = node.attributes?.axes;
  if (axes === undefined && node.attributes !== undefined) return;
  if (input === undefined || axes === undefined || !('ints' in axes))
    throw new Error(`the axes of its operator ${node.opType} are not understood`);
  const name: TensorName = graph.addConstant(
    BigInt64Array.from(axes.ints, BigInt),
    [axes.ints.length],
    `${node.outputs[0]}_axes`,
  );
  const { opType, outputs } = node;
  graph.replace([node], [{ opType, inputs: [input, name], outputs, attributes: {} }]);
}
