import { type Convolution, convolutionOf, walkOf } from './convolution.ts';
import type { EditableGraph } from './editable-graph.ts';

/** ONNX Runtime's blocked layout pads the channels of a convolution's output to a multiple of it on processors with AVX-512. */
const BLOCK = 16;

/** Least gain in multiplications, padding counted, for which two more passes over the numbers are worth their while. */
const LEAST_GAIN = 2;

/**
 * A convolution with so few outputs that most of what the blocked layout computes for it is padding becomes three:
 * products, a channel for each output and place of the kernel, in a convolution of 1 × 1; each shifted to where its
 * place wants it, in a depthwise one whose kernels hold a single 1; and their sum. Of the 3 × 3 kernels of a detector's two
 * scores, 18 of 32 channels are used instead of 2 of 16 nine times.
 *
 * @returns how many were taken apart.
 */
export function takeNarrowConvolutionsApart(graph: EditableGraph): number {
  const found = graph
    .nodesOf('Conv')
    .map((node) => convolutionOf(graph, node))
    .filter((convolution) => convolution !== undefined && isNarrow(convolution)) as Convolution[];
  for (const convolution of found) takeApart(graph, convolution);
  return found.length;
}

function isNarrow(convolution: Convolution): boolean {
  const { dims, group } = convolution;
  const [outputs, inputs, rows, columns] = dims;
  const places = rows * columns;
  const { strides, autoPad } = walkOf(convolution);
  if (group !== 1 || places === 1 || autoPad !== 'NOTSET' || strides.some((stride) => stride !== 1))
    return false;
  const products = padded(outputs * places);
  const whole = places * inputs * padded(outputs);
  const apart = inputs * products + places * products + products * padded(outputs);
  return whole >= LEAST_GAIN * apart;
}

const padded = (channels: number): number => Math.ceil(channels / BLOCK) * BLOCK;

function takeApart(
  graph: EditableGraph,
  { node, input, output, dims, weights, attributes }: Convolution,
): void {
  const [outputs, inputs, rows, columns] = dims;
  const places = rows * columns;
  // With the padding written out, as a depthwise convolution of any other number of channels leaves the blocked layout.
  const products = padded(outputs * places);
  const factors = new Float32Array(products * inputs);
  const shifts = new Float32Array(products * places);
  const sums = new Float32Array(outputs * products);
  const given = weights.floats();
  for (let out = 0; out < outputs; out++) {
    for (let place = 0; place < places; place++) {
      const product = out * places + place;
      shifts[product * places + place] = 1;
      sums[out * products + product] = 1;
      for (let channel = 0; channel < inputs; channel++) {
        factors[product * inputs + channel] = given[(out * inputs + channel) * places + place] as number;
      }
    }
  }
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
