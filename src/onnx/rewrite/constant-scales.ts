import { convolutionOf, geometryOf, type KernelGeometry } from './convolution.ts';
import type { EditableGraph } from './editable-graph.ts';
import type { Node, TensorName } from './node.ts';

/** Sides of the input for which the rewritten graph gives the same values are multiples of this: SCRFD's largest stride. */
const LARGEST_STRIDE = 32;

/** Of an enlarged feature map, relative to the one before. */
const FACTOR = 2;

/**
 * Detectors enlarge a coarse feature map to the size of a finer one, which PyTorch's exporter writes as arithmetic on the shape of
 * the finer one: Shape, Gather, Concat and so on, on a handful of integers. A GPU's provider leaves those nodes to the CPU, so
 * that it could not be told from the graph whether the network runs whole on the device. This pass states the factor instead.
 *
 * It relies on sides that are multiples of {@link LARGEST_STRIDE}, as those of the detector's inputs are: then every stride of
 * the network divides its input without a rest, and the factor follows from the strides of the nodes. With other sides, the
 * graph would fail where both maps are added. The passes for the CPU may not rely on that, hence it is none of them.
 *
 * @returns the number of enlargements rewritten.
 */
export function useConstantScales(graph: EditableGraph): number {
  const strides = new Strides(graph);
  let count = 0;
  for (const node of graph.nodesOf('Resize')) {
    const [input = '', , , sizes = ''] = node.inputs;
    const [output = ''] = node.outputs;
    if (node.inputs.length !== 4 || !dependsOnScalesOnly(node)) continue;
    // The result has the size of the map that it is added to, or the network would not run at all.
    const finer = addedTo(graph, output);
    const coarseStride = strides.of(input);
    if (finer === undefined || coarseStride === undefined) continue;
    if (!readsOnlyShapes(graph, sizes) || strides.of(finer) !== coarseStride / FACTOR) continue;
    const scales = graph.addConstant(Float32Array.of(1, 1, FACTOR, FACTOR), [4], `${output}_scales`);
    // The region of interest is for another mode, but older versions of the operator require it.
    const region = graph.addConstant(new Float32Array(0), [0], `${output}_region`);
    const { opType, outputs, attributes = {} } = node;
    graph.replace([node], [{ opType, inputs: [input, region, scales], outputs, attributes }]);
    removeUnread(graph, sizes);
    count++;
  }
  return count;
}

const ATTRIBUTES: readonly string[] = [
  'coordinate_transformation_mode',
  'cubic_coeff_a',
  'exclude_outside',
  'extrapolation_value',
  'mode',
  'nearest_mode',
];

/** Whether a Resize computes the same from sizes and from scales: it has no axes and reads no region of interest. */
function dependsOnScalesOnly({ attributes }: Node): boolean {
  if (attributes === undefined || Object.keys(attributes).some((name) => !ATTRIBUTES.includes(name)))
    return false;
  const mode = attributes.coordinate_transformation_mode;
  return !(mode && 'string' in mode && mode.string === 'tf_crop_and_resize');
}

/** The other term of the only Add that reads a tensor. */
function addedTo(graph: EditableGraph, tensor: TensorName): TensorName | undefined {
  const sum = graph.soleConsumerOf(tensor);
  if (sum?.opType !== 'Add' || sum.domain !== '') return undefined;
  return sum.inputs.find((name) => name !== tensor);
}

const SHAPE_ARITHMETIC: readonly string[] = ['Cast', 'Concat', 'Gather', 'Slice', 'Unsqueeze'];

/** Whether a tensor is computed from the shapes of others, and from nothing else that is not constant. */
function readsOnlyShapes(graph: EditableGraph, tensor: TensorName): boolean {
  const node = graph.producerOf(tensor);
  if (node === undefined) return tensor === '' || graph.integers(tensor) !== undefined;
  if (node.domain !== '') return false;
  if (node.opType === 'Shape' || node.opType === 'Constant') return true;
  return (
    SHAPE_ARITHMETIC.includes(node.opType) && node.inputs.every((input) => readsOnlyShapes(graph, input))
  );
}

/** Removes the node of a tensor that nothing reads any more, and those before it of which the same is true. */
function removeUnread(graph: EditableGraph, tensor: TensorName): void {
  const node = graph.producerOf(tensor);
  if (node?.outputs.some((name) => graph.isOutput(name) || graph.consumersOf(name).length > 0) !== false)
    return;
  graph.replace([node], []);
  for (const input of new Set(node.inputs)) removeUnread(graph, input);
}

/** Operators whose output has the rows and columns of their first input, or of all their inputs that have any. */
const SIZE_PRESERVING: readonly string[] = [
  'BatchNormalization',
  'Clip',
  'LeakyRelu',
  'PRelu',
  'Relu',
  'Sigmoid',
];

/** By how much the nodes before a tensor reduce the rows and columns of the graph's input, which must be divisible by it. */
class Strides {
  readonly #graph: EditableGraph;
  readonly #known = new Map<TensorName, number | undefined>();

  constructor(graph: EditableGraph) {
    this.#graph = graph;
  }

  /** @returns undefined if it is not certain. */
  of(tensor: TensorName): number | undefined {
    if (!this.#known.has(tensor)) this.#known.set(tensor, this.#find(tensor));
    return this.#known.get(tensor);
  }

  #find(tensor: TensorName): number | undefined {
    const node = this.#graph.producerOf(tensor);
    // The graph's input: a weight has no stride, but is no first input of the operators below either.
    if (node === undefined) return this.#graph.constant(tensor) === undefined ? 1 : undefined;
    if (node.domain !== '' || node.outputs[0] !== tensor) return undefined;
    const before = this.of(node.inputs[0] ?? '');
    if (before === undefined) return undefined;
    if (SIZE_PRESERVING.includes(node.opType)) return before;
    // A sum of maps of different sizes would be broadcast.
    if (node.opType === 'Add') return this.of(node.inputs[1] ?? '') === before ? before : undefined;
    if (node.opType === 'Resize') return this.#ofResize(node, before);
    const step = stepOf(this.#graph, node);
    const stride = step === undefined ? undefined : before * step;
    return stride !== undefined && LARGEST_STRIDE % stride === 0 ? stride : undefined;
  }

  #ofResize({ inputs }: Node, before: number): number | undefined {
    const scales = this.#graph.constant(inputs[2])?.floats();
    const doubles = scales?.join() === [1, 1, FACTOR, FACTOR].join() && inputs.length === 3;
    return doubles && before % FACTOR === 0 ? before / FACTOR : undefined;
  }
}

/** The stride of a convolution or pooling that divides rows and columns by it exactly. */
function stepOf(graph: EditableGraph, node: Node): number | undefined {
  const geometry = node.opType === 'Conv' ? convolutionGeometry(graph, node) : poolingGeometry(node);
  if (geometry === undefined || geometry.autoPad !== 'NOTSET') return undefined;
  const { kernel, strides, pads, dilations } = geometry;
  const [step = Number.NaN] = strides;
  const exact = [0, 1].every((axis) => {
    const [size = Number.NaN, dilation = Number.NaN] = [kernel[axis], dilations[axis]];
    const [begin = Number.NaN, end = Number.NaN] = [pads[axis], pads[axis + 2]];
    // ONNX: out = floor((in + begin + end - dilation · (kernel - 1) - 1) / stride) + 1, here in / stride.
    return strides[axis] === step && Math.floor((begin + end - dilation * (size - 1) - 1) / step) === -1;
  });
  return exact ? step : undefined;
}

function convolutionGeometry(graph: EditableGraph, node: Node): KernelGeometry | undefined {
  const convolution = convolutionOf(graph, node);
  return convolution && geometryOf(convolution);
}

const POOLING: readonly string[] = ['AveragePool', 'MaxPool'];

/** Pooling rounds down, as convolutions do; with `ceil_mode` too, since nothing is left to round. */
function poolingGeometry({ opType, attributes = {} }: Node): KernelGeometry | undefined {
  if (!POOLING.includes(opType)) return undefined;
  const ints = (name: string, absent: readonly number[]) => {
    const attribute = attributes[name];
    if (attribute === undefined) return absent;
    return 'ints' in attribute ? attribute.ints : [];
  };
  const autoPad = attributes.auto_pad;
  return {
    kernel: ints('kernel_shape', []),
    strides: ints('strides', [1, 1]),
    pads: ints('pads', [0, 0, 0, 0]),
    dilations: ints('dilations', [1, 1]),
    autoPad: autoPad && 'string' in autoPad ? autoPad.string : 'NOTSET',
  };
}
