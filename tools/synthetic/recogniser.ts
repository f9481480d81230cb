import { GraphBuilder, type TensorName } from '../../src/onnx/graph-builder.ts';
import { DATA_TYPE } from '../../src/onnx/schema.ts';
import type { Graph, ValueInfo } from '../../src/onnx/writer.ts';
import { RECOGNISER_PREPROCESSING } from '../../src/packs/pack.ts';
import { addNormalisation } from './normalisation.ts';
import { xorshift32 } from './xorshift.ts';

const SEED = 0x5eed_face;

/** Luma is reduced to 16×16 means: enough to distinguish photographs with the same layout. */
const LUMA_CELLS = 16;
/** Chroma is reduced to 2×2 means: JPEG halves its resolution, so finer detail would depend on the format. */
const CHROMA_CELLS = 2;

/** Rows: luma, blue minus luma, red minus luma; columns: R, G, B. */
const COLOUR_TRANSFORM = [0.3, 0.59, 0.11, -0.3, -0.59, 0.89, 0.7, -0.59, -0.11];

/** In grey levels. Prevents the noise of an even crop from being amplified to full contrast. */
const CONTRAST_FLOOR = 1.5;

/**
 * The bandwidth of the kernel. Two crops have a cosine of about exp(−d² / 2), where d is the distance of their features;
 * these weights scale each kind of feature. Chosen by measurement: with JPEG at quality 90 the cosine stays above 0.98
 * (above 0.96 for single-pixel colour noise in a large picture), and between different photographs of LFW, which share a
 * layout, below 0.5 (558 photographs, maximum 0.41).
 */
const LUMA_PATTERN_WEIGHT = 1 / 5;
const LUMA_LEVEL_WEIGHT = 12;
const CHROMA_WEIGHT = 3;
const CONTRAST_WEIGHT = 3;

/** The weights are sums of four 6-bit numbers, which approximates a normal distribution. */
const WEIGHT_MEAN = 4 * 31.5;
const WEIGHT_STD = Math.sqrt((4 * (64 * 64 - 1)) / 12);

export interface RecogniserOptions {
  /** Side of the square input in pixels, a multiple of 16. */
  inputSize: number;
  /** Length of an embedding. */
  embeddingSize: number;
  /** Whether the graph normalises its input itself. */
  embedded: boolean;
}

/**
 * A graph with the input and output of an ArcFace recogniser. Its embedding depends on the pixels of the crop, not on the
 * identity of a face: equal crops match, different crops do not. It reduces the crop to 266 features (luma pattern, luma
 * level, contrast, coarse chroma) and maps them to random Fourier features (Rahimi and Recht, "Random Features for
 * Large-Scale Kernel Machines", 2007): cosines of random projections. The norm is about 16 for every input.
 *
 * Input: float32 [batch, 3, side, side]. Values are (x − 127.5) / 127.5 of RGB, or unchanged bytes if the graph normalises
 * them itself. Output: float32 [batch, dimensions], not normalised.
 */
export function syntheticRecogniser({ inputSize, embeddingSize, embedded }: RecogniserOptions): Graph {
  const graph = new GraphBuilder();
  const input: ValueInfo = { name: 'face', elementType: 'float', dims: ['batch', 3, inputSize, inputSize] };
  const face = embedded ? addNormalisation(graph, input.name, RECOGNISER_PREPROCESSING) : input.name;
  const colours = graph.constant(Float32Array.from(COLOUR_TRANSFORM), [3, 3, 1, 1]);
  const fine = graph.add('Conv', [pool(graph, face, inputSize / LUMA_CELLS), colours]);
  const luma = flatten(graph, addChannels(graph, fine, 0, 1));
  const chroma = flatten(graph, pool(graph, addChannels(graph, fine, 1, 3), LUMA_CELLS / CHROMA_CELLS));

  const level = graph.add('ReduceMean', [luma], { axes: { ints: [1] } });
  const deviation = graph.add('Sub', [luma, level]);
  const squares = graph.add('Mul', [deviation, deviation]);
  const variance = graph.add('ReduceMean', [squares], { axes: { ints: [1] } });
  const floor = CONTRAST_FLOOR / RECOGNISER_PREPROCESSING.std;
  const contrast = graph.add('Sqrt', [graph.add('Add', [variance, graph.floats([floor * floor])])]);

  const features = graph.add(
    'Concat',
    [
      scale(graph, graph.add('Div', [deviation, contrast]), LUMA_PATTERN_WEIGHT),
      scale(graph, chroma, CHROMA_WEIGHT),
      scale(graph, level, LUMA_LEVEL_WEIGHT),
      scale(graph, graph.add('Log', [contrast]), CONTRAST_WEIGHT),
    ],
    { axis: { int: 1 } },
  );
  addFourierFeatures(graph, features, LUMA_CELLS ** 2 + 2 * CHROMA_CELLS ** 2 + 2, embeddingSize);
  const output: ValueInfo = { name: 'embedding', elementType: 'float', dims: ['batch', embeddingSize] };
  return graph.build('synthetic_recogniser', [input], [output]);
}

/** Adds cos(features · weights + phase). Weights and phases are random and stored as bytes to keep the file small. */
function addFourierFeatures(
  graph: GraphBuilder,
  features: TensorName,
  count: number,
  dimensions: number,
): void {
  const random = xorshift32(SEED);
  const weights = Int8Array.from({ length: count * dimensions }, () => approximatelyNormal(random()));
  const phases = Uint8Array.from({ length: dimensions }, () => random() >>> 24);
  const projection = graph.add('MatMul', [features, toFloat(graph, weights, [count, dimensions])]);
  const angle = graph.add('Add', [
    scale(graph, projection, 1 / WEIGHT_STD),
    scale(graph, toFloat(graph, phases, [dimensions]), (2 * Math.PI) / 256),
  ]);
  graph.add('Cos', [angle], {}, 'embedding');
}

/** An integer in −126…126 from 24 of the 32 random bits. */
function approximatelyNormal(bits: number): number {
  const sum = (bits & 63) + ((bits >>> 8) & 63) + ((bits >>> 16) & 63) + ((bits >>> 24) & 63);
  return sum - WEIGHT_MEAN;
}

/** Means over squares with this side, in pixels. */
function pool(graph: GraphBuilder, image: TensorName, side: number): TensorName {
  return graph.add('AveragePool', [image], {
    kernel_shape: { ints: [side, side] },
    strides: { ints: [side, side] },
  });
}

function addChannels(graph: GraphBuilder, image: TensorName, from: number, to: number): TensorName {
  return graph.add('Slice', [image, graph.ints([from]), graph.ints([to]), graph.ints([1])]);
}

function flatten(graph: GraphBuilder, tensor: TensorName): TensorName {
  return graph.add('Flatten', [tensor]);
}

function scale(graph: GraphBuilder, tensor: TensorName, weight: number): TensorName {
  return graph.add('Mul', [tensor, graph.floats([weight])]);
}

function toFloat(graph: GraphBuilder, data: Int8Array | Uint8Array, dims: readonly number[]): TensorName {
  return graph.add('Cast', [graph.constant(data, dims)], { to: { int: DATA_TYPE.float } });
}
