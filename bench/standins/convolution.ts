import type { GraphBuilder, TensorName } from '../../src/onnx/graph-builder.ts';
import type { RandomWeights } from './weights.ts';

export interface ConvolutionOptions {
  /** Channels. */
  inputs: number;
  outputs: number;
  /** 3 by default. */
  kernel?: 1 | 3;
  stride?: number;
  /** See {@link RandomWeights.layer}. 1 by default. */
  gain?: number;
  /** Changes weights [outputs, inputs, kernel, kernel] and biases [outputs] in place. */
  change?: ((weights: Float32Array, bias: Float32Array) => void) | undefined;
}

/** What a network is built with. */
export interface NetworkBuilder {
  graph: GraphBuilder;
  weights: RandomWeights;
}

/** A convolution with the attributes that PyTorch exports, and padding that keeps the size. */
export function addConvolution(
  { graph, weights }: NetworkBuilder,
  input: TensorName,
  { inputs, outputs, kernel = 3, stride = 1, gain = 1, change }: ConvolutionOptions,
): TensorName {
  const dims = [outputs, inputs, kernel, kernel];
  const values = weights.layer(dims, gain);
  const bias = weights.around(0, 0.01, outputs);
  change?.(values, bias);
  const pad = (kernel - 1) / 2;
  return graph.add('Conv', [input, graph.constant(values, dims), graph.constant(bias, [outputs])], {
    dilations: { ints: [1, 1] },
    group: { int: 1 },
    kernel_shape: { ints: [kernel, kernel] },
    pads: { ints: [pad, pad, pad, pad] },
    strides: { ints: [stride, stride] },
  });
}
