import { GraphBuilder, type TensorName } from '../../src/onnx/graph-builder.ts';
import type { Graph } from '../../src/onnx/writer.ts';
import { addConvolution, type NetworkBuilder } from './convolution.ts';
import { RandomWeights } from './weights.ts';

/** Channels and blocks of the four stages. */
export interface IresnetShape {
  channels: readonly number[];
  blocks: readonly number[];
  embeddingSize: number;
}

/** As w600k_r50 of buffalo_m and buffalo_l: 43.6 million weights. Source: insightface, recognition/arcface_torch, iresnet.py. */
export const IRESNET_50: IresnetShape = {
  channels: [64, 128, 256, 512],
  blocks: [3, 4, 14, 3],
  embeddingSize: 512,
};

const INPUT_SIDE = 112;
const SLOPE = 0.25;
/** Makes up for a PReLU after a layer. */
const PRELU_GAIN = 2 / (1 + SLOPE ** 2);

/**
 * An ArcFace recogniser with random weights, in the operators that InsightFace exports: batch normalisations are folded into
 * the convolutions before them, and remain at the start of each block, before the embedding and behind it. Its embeddings tell
 * pictures apart, but not people.
 *
 * Input: float32 [batch, 3, 112, 112], (x − 127.5) / 127.5 of RGB. Output: float32 [batch, embeddingSize], not normalised.
 */
export function makeIresnet(seed: number, { channels, blocks, embeddingSize }: IresnetShape): Graph {
  const network = { graph: new GraphBuilder(), weights: new RandomWeights(seed) };
  const { graph, weights } = network;
  const input = { name: 'input.1', elementType: 'float', dims: ['None', 3, INPUT_SIDE, INPUT_SIDE] } as const;
  let inputs = channels[0] as number;
  let side = INPUT_SIDE;
  const stem = addConvolution(network, input.name, { inputs: 3, outputs: inputs, gain: PRELU_GAIN });
  let features = addPrelu(network, stem, inputs);
  for (const [stage, outputs] of channels.entries()) {
    const count = blocks[stage] as number;
    for (let block = 0; block < count; block++) {
      features = addBlock(network, features, { inputs, outputs, blocks: count, halves: block === 0 });
      inputs = outputs;
    }
    side /= 2;
  }
  const flat = graph.add('Flatten', [addNormalisation(network, features, inputs)], { axis: { int: 1 } });
  const dims = [embeddingSize, inputs * side * side];
  const embedding = graph.add(
    'Gemm',
    [flat, graph.constant(weights.layer(dims, 1), dims), addVector(network, 0, embeddingSize)],
    { alpha: { float: 1 }, beta: { float: 1 }, transB: { int: 1 } },
  );
  const output = addNormalisation(network, embedding, embeddingSize);
  return graph.build(
    'iresnet',
    [input],
    [{ name: output, elementType: 'float', dims: ['None', embeddingSize] }],
  );
}

interface BlockOptions {
  inputs: number;
  outputs: number;
  /** In this stage. */
  blocks: number;
  /** The first block of a stage halves the side of the features. */
  halves: boolean;
}

/** Gains keep the variance of the features about the same: an exporter's would come from training. */
function addBlock(
  network: NetworkBuilder,
  input: TensorName,
  { inputs, outputs, blocks, halves }: BlockOptions,
): TensorName {
  const normalised = addNormalisation(network, input, inputs);
  const inner = addConvolution(network, normalised, { inputs, outputs, gain: PRELU_GAIN });
  const stride = halves ? 2 : 1;
  const branch = addConvolution(network, addPrelu(network, inner, outputs), {
    inputs: outputs,
    outputs,
    stride,
    gain: halves ? 0.5 : 1 / blocks,
  });
  const shortcut = halves
    ? addConvolution(network, input, { inputs, outputs, kernel: 1, stride, gain: 0.5 })
    : input;
  return network.graph.add('Add', [branch, shortcut]);
}

function addPrelu(network: NetworkBuilder, input: TensorName, channels: number): TensorName {
  return network.graph.add('PRelu', [input, addVector(network, SLOPE, channels, [channels, 1, 1])]);
}

function addNormalisation(network: NetworkBuilder, input: TensorName, channels: number): TensorName {
  // Scale, offset, mean and variance.
  const statistics = [1, 0, 0, 1].map((mean) => addVector(network, mean, channels));
  return network.graph.add('BatchNormalization', [input, ...statistics], { epsilon: { float: 1e-5 } });
}

/** A number for each channel, close to `mean`. */
function addVector(
  { graph, weights }: NetworkBuilder,
  mean: number,
  channels: number,
  dims: readonly number[] = [channels],
): TensorName {
  return graph.constant(weights.around(mean, 0.01, channels), dims);
}
