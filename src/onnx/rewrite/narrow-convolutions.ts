import { BLOCK_CHANNELS, type Convolution, convolutionOf, geometryOf } from './convolution.ts';
import type { EditableGraph } from './editable-graph.ts';

/** Minimum factor by which multiplications must drop, including padding, to pay for two more passes over the tensor. */
const MIN_GAIN = 2;

/**
 * Splits a convolution with so few outputs that the blocked layout computes mostly padding into three: a 1×1 convolution
 * that computes a channel of products for each output and kernel position; a depthwise one, whose kernels contain a
 * single 1, that shifts each channel to its position; and a 1×1 convolution that sums them. For the 3×3 kernels of a
 * detector's two scores, 18 of 32 channels are in use once instead of 2 of 16 nine times.
 *
 * @returns the number of convolutions split.
 */
export function splitNarrowConvolutions(graph: EditableGraph): number {
  const narrow = graph
    .nodesOf('Conv')
    .map((node) => convolutionOf(graph, node))
    .filter((convolution) => convolution !== undefined)
    .filter(isNarrow);
  for (const convolution of narrow) split(graph, convolution);
  return narrow.length;
}

function isNarrow(convolution: Convolution): boolean {
  const { dims, group } = convolution;
  const [outputs, inputs, rows, columns] = dims;
  const positions = rows * columns;
  const { strides, autoPad } = geometryOf(convolution);
  if (group !== 1 || positions === 1 || autoPad !== 'NOTSET' || strides.some((stride) => stride !== 1))
    return false;
  const products = padded(outputs * positions);
  const before = positions * inputs * padded(outputs);
  const after = inputs * products + positions * products + products * padded(outputs);
  return before >= MIN_GAIN * after;
}

const padded = (channels: number): number => Math.ceil(channels / BLOCK_CHANNELS) * BLOCK_CHANNELS;

function split(graph: EditableGraph, convolution: Convolution): void {
  const { node, input, output, dims, attributes } = convolution;
  const [outputs, inputs, rows, columns] = dims;
  const { products, factors, shifts, sums } = splitWeights(convolution);
  const constant = (data: Float32Array, dims: readonly number[], part: string) =>
    graph.addConstant(data, dims, `${output}_${part}`);
  const multiplied = graph.freshName(`${output}_products`);
  const shifted = graph.freshName(`${output}_shifted_products`);
  const [, , ...bias] = node.inputs;
  graph.replace(
    [node],
    [
      {
        opType: 'Conv',
        inputs: [input, constant(factors, [products, inputs, 1, 1], 'factors')],
        outputs: [multiplied],
        attributes: {},
      },
      {
        opType: 'Conv',
        inputs: [multiplied, constant(shifts, [products, 1, rows, columns], 'shifts')],
        outputs: [shifted],
        attributes: { ...attributes, group: { int: products } },
      },
      {
        opType: 'Conv',
        inputs: [shifted, constant(sums, [outputs, products, 1, 1], 'sums'), ...bias],
        outputs: [output],
        attributes: {},
      },
    ],
  );
}

/** The weights of the three convolutions, and the number of channels between them. */
function splitWeights({ dims, weights }: Convolution) {
  const [outputs, inputs, rows, columns] = dims;
  const positions = rows * columns;
  // Padded here, because a depthwise convolution with any other number of channels leaves the blocked layout.
  const products = padded(outputs * positions);
  const factors = new Float32Array(products * inputs);
  const shifts = new Float32Array(products * positions);
  const sums = new Float32Array(outputs * products);
  const original = weights.floats();
  for (let out = 0; out < outputs; out++) {
    for (let position = 0; position < positions; position++) {
      const product = out * positions + position;
      shifts[product * positions + position] = 1;
      sums[out * products + product] = 1;
      for (let channel = 0; channel < inputs; channel++) {
        factors[product * inputs + channel] = original[
          (out * inputs + channel) * positions + position
        ] as number;
      }
    }
  }
  return { products, factors, shifts, sums };
}
