import { GraphBuilder, type TensorName } from '../../onnx/graph-builder.ts';
import { writeModel } from '../../onnx/writer.ts';

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
  const { graph } = layers;
  const [first, second, third, fourth] = CHANNELS;
  const stem = layers.conv('picture', 3, first, 2);
  const finer = layers.prelu(layers.normalise(layers.conv(stem, first, second, 1), second), second);
  const pooled = graph.add('MaxPool', [finer], {
    kernel_shape: { ints: [2, 2] },
    strides: { ints: [2, 2] },
  });
  const coarser = graph.add('Relu', [layers.conv(pooled, second, third, 1)]);
  const resize = {
    mode: { string: 'nearest' },
    coordinate_transformation_mode: { string: 'asymmetric' },
    nearest_mode: { string: 'floor' },
  };
  const region = layers.constant([0], () => 0);
  const enlarged = graph.add(
    'Resize',
    [coarser, region, layers.constant([4], (i) => (i < 2 ? 1 : 2))],
    resize,
  );
  const sum = graph.add('Add', [finer, enlarged]);
  const average = graph.add('AveragePool', [sum], {
    kernel_shape: { ints: [2, 2] },
    strides: { ints: [2, 2] },
  });
  const head = graph.add('Mul', [layers.conv(average, third, fourth, 1), layers.constant([1], () => 0.5)]);
  const rows = graph.add('Transpose', [head], { perm: { ints: [2, 3, 0, 1] } });
  const score = graph.add('Sigmoid', [graph.add('Reshape', [rows, graph.ints([-1, 4])])]);
  const flat = graph.add('Flatten', ['face']);
  const weights = layers.constant([8, 4 * fourth], () => layers.random(0.1));
  const embedding = graph.add('Gemm', [flat, weights, layers.constant([8], () => 0)], {
    transB: { int: 1 },
  });
  const inputs = [
    { name: 'picture', elementType: 'float', dims: [1, 3, 'height', 'width'] },
    { name: 'face', elementType: 'float', dims: [1, fourth, 2, 2] },
  ] as const;
  const outputs = [score, embedding].map(
    (name) => ({ name, elementType: 'float', dims: undefined }) as const,
  );
  return writeModel(HEADER, graph.build('probe', inputs, outputs));
}

/** Values of the input `face`. */
export const PROBE_FACE_DIMS = [1, CHANNELS[3], 2, 2] as const;

class Layers {
  readonly graph = new GraphBuilder();
  #state = 1;

  conv(input: TensorName, inputs: number, outputs: number, stride: number): TensorName {
    const scale = Math.sqrt(6 / (9 * inputs));
    const weights = this.constant([outputs, inputs, 3, 3], () => this.random(scale));
    return this.graph.add('Conv', [input, weights, this.constant([outputs], () => this.random(0.1))], {
      kernel_shape: { ints: [3, 3] },
      pads: { ints: [1, 1, 1, 1] },
      strides: { ints: [stride, stride] },
    });
  }

  normalise(input: TensorName, channels: number): TensorName {
    const parameters = [1, 0.1, 0.05, 1.2].map((value) => this.constant([channels], () => value));
    return this.graph.add('BatchNormalization', [input, ...parameters]);
  }

  prelu(input: TensorName, channels: number): TensorName {
    return this.graph.add('PRelu', [input, this.constant([channels, 1, 1], () => 0.25 + this.random(0.2))]);
  }

  constant(dims: readonly number[], value: (index: number) => number): TensorName {
    const length = dims.reduce((product, dim) => product * dim, 1);
    return this.graph.constant(
      Float32Array.from({ length }, (_, index) => value(index)),
      dims,
    );
  }

  /** The same numbers each time, from -limit to limit. Source: Park and Miller, Communications of the ACM 31, 1988. */
  random(limit: number): number {
    this.#state = (this.#state * 48_271) % 2_147_483_647;
    return limit * ((2 * this.#state) / 2_147_483_647 - 1);
  }
}
