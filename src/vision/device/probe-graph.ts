import { type Attribute, type GraphNode, type Initialiser, writeModel } from '../../onnx/writer.ts';

/** Side of the small pictures that the probe's graph is run on, in pixels. */
export const PROBE_SIDE = 96;

/** Channels after each convolution; the last two are those of the coarser map. */
const CHANNELS = [32, 64, 64, 64] as const;
const HEADER = { irVersion: 6, opset: 11, producer: 'face-embedding-service' };

/**
 * A small network of random weights with every operator that the detectors and recognisers of the catalogue have, once they are
 * rewritten for a GPU (onnx/rewrite/constant-scales.ts): convolutions with strides, PRelu, batch normalisation, pooling, an
 * enlarged map that is added to a finer one, the reshaping of heads, and a Gemm. A device that runs it whole runs them. With a
 * picture of {@link PROBE_SIDE}, it multiplies 90 million times: a few milliseconds of a core.
 *
 * @returns an ONNX model with an input `picture` (1 × 3 × height × width, any multiple of 4) and an input `face`
 *   (1 × 64 × 2 × 2), and two outputs.
 */
export function probeGraph(): Uint8Array<ArrayBuffer> {
  const layers = new Layers();
  const [first, second, third, fourth] = CHANNELS;
  const stem = layers.conv('picture', 3, first, 2);
  const finer = layers.prelu(layers.normalise(layers.conv(stem, first, second, 1), second), second);
  const pooled = layers.add('MaxPool', [finer], {
    kernel_shape: { ints: [2, 2] },
    strides: { ints: [2, 2] },
  });
  const coarser = layers.add('Relu', [layers.conv(pooled, second, third, 1)]);
  const resize = {
    mode: { string: 'nearest' },
    coordinate_transformation_mode: { string: 'asymmetric' },
    nearest_mode: { string: 'floor' },
  };
  const region = layers.constant([0], () => 0);
  const enlarged = layers.add(
    'Resize',
    [coarser, region, layers.constant([4], (i) => (i < 2 ? 1 : 2))],
    resize,
  );
  const sum = layers.add('Add', [finer, enlarged]);
  const average = layers.add('AveragePool', [sum], {
    kernel_shape: { ints: [2, 2] },
    strides: { ints: [2, 2] },
  });
  const head = layers.add('Mul', [layers.conv(average, third, fourth, 1), layers.constant([1], () => 0.5)]);
  const rows = layers.add('Transpose', [head], { perm: { ints: [2, 3, 0, 1] } });
  const score = layers.add('Sigmoid', [layers.add('Reshape', [rows, layers.shape([-1, 4])])]);
  const flat = layers.add('Flatten', ['face']);
  const weights = layers.constant([8, 4 * fourth], () => layers.random(0.1));
  const embedding = layers.add('Gemm', [flat, weights, layers.constant([8], () => 0)], {
    transB: { int: 1 },
  });
  return writeModel(HEADER, {
    name: 'probe',
    inputs: [
      { name: 'picture', elementType: 'float', dims: [1, 3, 'height', 'width'] },
      { name: 'face', elementType: 'float', dims: [1, fourth, 2, 2] },
    ],
    outputs: [score, embedding].map((name) => ({ name, elementType: 'float', dims: undefined })),
    initialisers: layers.initialisers,
    nodes: layers.nodes,
  });
}

/** Values of the input `face`. */
export const PROBE_FACE_DIMS = [1, CHANNELS[3], 2, 2] as const;

class Layers {
  readonly nodes: GraphNode[] = [];
  readonly initialisers: Initialiser[] = [];
  #state = 1;

  add(opType: string, inputs: string[], attributes: Record<string, Attribute> = {}): string {
    const output = `${opType.toLowerCase()}_${this.nodes.length}`;
    this.nodes.push({ opType, inputs, outputs: [output], attributes });
    return output;
  }

  conv(input: string, inputs: number, outputs: number, stride: number): string {
    const scale = Math.sqrt(6 / (9 * inputs));
    const weights = this.constant([outputs, inputs, 3, 3], () => this.random(scale));
    return this.add('Conv', [input, weights, this.constant([outputs], () => this.random(0.1))], {
      kernel_shape: { ints: [3, 3] },
      pads: { ints: [1, 1, 1, 1] },
      strides: { ints: [stride, stride] },
    });
  }

  normalise(input: string, channels: number): string {
    const [scale, bias, mean, variance] = [1, 0.1, 0.05, 1.2].map((value) =>
      this.constant([channels], () => value),
    ) as [string, string, string, string];
    return this.add('BatchNormalization', [input, scale, bias, mean, variance]);
  }

  prelu(input: string, channels: number): string {
    return this.add('PRelu', [input, this.constant([channels, 1, 1], () => 0.25 + this.random(0.2))]);
  }

  constant(dims: readonly number[], value: (index: number) => number): string {
    const length = dims.reduce((product, dim) => product * dim, 1);
    return this.#initialiser(
      dims,
      Float32Array.from({ length }, (_, index) => value(index)),
    );
  }

  shape(values: readonly number[]): string {
    return this.#initialiser([values.length], BigInt64Array.from(values, BigInt));
  }

  /** The same numbers each time, from -limit to limit. Source: Park and Miller, Communications of the ACM 31, 1988. */
  random(limit: number): number {
    this.#state = (this.#state * 48_271) % 2_147_483_647;
    return limit * ((2 * this.#state) / 2_147_483_647 - 1);
  }

  #initialiser(dims: readonly number[], data: Initialiser['data']): string {
    const name = `constant_${this.initialisers.length}`;
    this.initialisers.push({ name, dims, data });
    return name;
  }
}
