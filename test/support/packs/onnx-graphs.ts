import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import { GraphBuilder, type TensorName } from '../../../src/onnx/graph-builder.ts';
import { type RewritePass, type RewrittenGraph, rewriteGraph } from '../../../src/onnx/rewrite/rewrite.ts';
import { type Attribute, writeModel } from '../../../src/onnx/writer.ts';
import { cosine, seededRandom } from '../numbers.ts';

export interface ConvolutionShape {
  inputs: number;
  outputs: number;
  kernel?: number;
  group?: number;
  pad?: number;
  stride?: number;
  bias?: boolean;
  name?: string;
  /** In addition to those that follow from the shape. */
  attributes?: Record<string, Attribute>;
}

/** Builds graphs of layers with random weights. */
export class TestNetwork {
  readonly graph = new GraphBuilder();
  readonly #random: () => number;

  constructor(seed = 1) {
    this.#random = seededRandom(seed);
  }

  /** A constant of random numbers from low to high. */
  randomConstant(dims: readonly number[], low = -1, high = 1): TensorName {
    const elements = dims.reduce((product, dim) => product * dim, 1);
    const values = Float32Array.from({ length: elements }, () => low + (high - low) * this.#random());
    return this.graph.constant(values, dims);
  }

  conv(input: TensorName, shape: ConvolutionShape): TensorName {
    const { inputs, outputs, kernel = 3, group = 1, pad = (kernel - 1) / 2, stride = 1, bias = true } = shape;
    const scale = Math.sqrt(3 / ((inputs / group) * kernel ** 2));
    const weights = this.randomConstant([outputs, inputs / group, kernel, kernel], -scale, scale);
    const attributes: Record<string, Attribute> = {
      group: { int: group },
      kernel_shape: { ints: [kernel, kernel] },
      pads: { ints: [pad, pad, pad, pad] },
      strides: { ints: [stride, stride] },
      ...shape.attributes,
    };
    const names = bias ? [input, weights, this.randomConstant([outputs])] : [input, weights];
    return this.graph.add('Conv', names, attributes, shape.name);
  }

  prelu(input: TensorName, slopes: readonly number[], dims: readonly number[], name?: string): TensorName {
    return this.graph.add('PRelu', [input, this.graph.floats(slopes, dims)], {}, name);
  }

  /** @param channels of the only input, `x`. */
  model(outputs: readonly TensorName[], { channels = 3, opset = 13 } = {}): Uint8Array<ArrayBuffer> {
    const input = { name: 'x', elementType: 'float', dims: ['n', channels, 'h', 'w'] } as const;
    const withoutShapes = outputs.map((name) => ({ name, elementType: 'float', dims: undefined }) as const);
    const header = { irVersion: 6, opset, producer: 'test' };
    return writeModel(header, this.graph.build('test', [input], withoutShapes));
  }
}

/** The applied passes as text: `prelu 2, sibling-convolutions 1`. */
export const appliedTo = ({ applied }: RewrittenGraph): string =>
  applied.map(({ pass, count }) => `${pass} ${count}`).join(', ');

export async function runModel(
  model: Uint8Array,
  dims: readonly number[],
  input = 'x',
): Promise<Record<string, Float32Array>> {
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const random = seededRandom(7);
  const elements = dims.reduce((product, dim) => product * dim, 1);
  const data = Float32Array.from({ length: elements }, () => 4 * random() - 2);
  const results = await session.run({ [input]: new ort.Tensor('float32', data, dims) });
  return Object.fromEntries(session.outputNames.map((name) => [name, results[name]?.data as Float32Array]));
}

/** The largest difference between the numbers that two models give for the same input. */
export async function differenceOf(
  before: Uint8Array,
  after: Uint8Array,
  dims: readonly number[],
  input = 'x',
): Promise<number> {
  const expected = await runModel(before, dims, input);
  const actual = await runModel(after, dims, input);
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  let largest = 0;
  for (const [name, values] of Object.entries(expected)) {
    const others = actual[name] as Float32Array;
    expect(others.length).toBe(values.length);
    expect(values.some((value) => value !== 0)).toBe(true);
    for (let i = 0; i < values.length; i++) {
      const difference = Math.abs((values[i] as number) - (others[i] as number));
      // NaN must not pass as a small difference.
      largest = Math.max(largest, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
    }
    expect(cosine(values, others)).toBeGreaterThan(1 - 1e-9);
  }
  return largest;
}

/** Rewrites a model, and expects these passes and the same results for a small and an odd input size. */
export async function expectRewritten(
  model: Uint8Array<ArrayBuffer>,
  applied: string,
  { passes, channels = 3 }: { passes?: RewritePass[]; channels?: number } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const rewritten = rewriteGraph(model, passes && { passes });
  expect(appliedTo(rewritten)).toBe(applied);
  for (const [height, width] of [
    [8, 8],
    [13, 7],
  ] as const) {
    const dims = [1, channels, height, width];
    expect(await differenceOf(model, rewritten.bytes, dims)).toBeLessThan(1e-5);
  }
  return rewritten.bytes;
}

/** Expects that a model, which must be valid, is returned as the same array. */
export async function expectUnchanged(
  model: Uint8Array<ArrayBuffer>,
  dims: readonly number[] = [1, 3, 8, 8],
): Promise<void> {
  const rewritten = rewriteGraph(model);
  expect(appliedTo(rewritten)).toBe('');
  expect(rewritten.bytes).toBe(model);
  await runModel(model, dims);
}
