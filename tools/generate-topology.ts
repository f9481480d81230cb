// Writes networks with the topology and shapes of InsightFace's larger pack and random weights, to measure the graph
// rewrites without the real weights. Their outputs mean nothing.
//
//   node tools/run.mjs build/tools/generate-topology.js <iresnet50|scrfd10g> <file.onnx>

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GraphBuilder, type TensorName } from '../src/onnx/graph-builder.ts';
import { type Attribute, type ValueInfo, writeModel } from '../src/onnx/writer.ts';

interface ConvolutionOptions {
  kernel?: number;
  stride?: number;
  /** 1 keeps the variance of the input (He et al., 2015). */
  gain?: number;
}

type Dims = readonly (number | string)[];

/** Adds layers with random weights to a graph. The weights depend on the order of the calls only. */
class RandomNetwork {
  readonly graph = new GraphBuilder();
  #state = 1;

  conv(
    input: TensorName,
    inputs: number,
    outputs: number,
    { kernel = 3, stride = 1, gain = 1 }: ConvolutionOptions = {},
  ): TensorName {
    const scale = gain * Math.sqrt(6 / (inputs * kernel ** 2));
    const weights = this.#randomConstant([outputs, inputs, kernel, kernel], scale);
    const bias = this.#randomConstant([outputs], 0.1);
    return this.graph.add('Conv', [input, weights, bias], {
      dilations: { ints: [1, 1] },
      group: { int: 1 },
      ...squareWindow(kernel, stride, (kernel - 1) / 2),
    });
  }

  batchNorm(input: TensorName, channels: number): TensorName {
    const scale = this.#randomConstant([channels], 0.1, 1);
    const shift = this.#randomConstant([channels], 0.1);
    const mean = this.#randomConstant([channels], 0.1);
    const variance = this.#randomConstant([channels], 0.1, 1);
    return this.graph.add('BatchNormalization', [input, scale, shift, mean, variance], {
      epsilon: { float: 1e-5 },
    });
  }

  /** Slopes from -0.35 to 1.05: most are between 0 and 1, some negative, some above 1. */
  prelu(input: TensorName, channels: number): TensorName {
    return this.graph.add('PRelu', [input, this.#randomConstant([channels, 1, 1], 0.7, 0.35)]);
  }

  relu(input: TensorName): TensorName {
    return this.graph.add('Relu', [input]);
  }

  add(a: TensorName, b: TensorName): TensorName {
    return this.graph.add('Add', [a, b]);
  }

  gemm(input: TensorName, inputs: number, outputs: number): TensorName {
    const weights = this.#randomConstant([outputs, inputs], Math.sqrt(3 / inputs));
    const bias = this.#randomConstant([outputs], 0.1);
    return this.graph.add('Gemm', [input, weights, bias], { transB: { int: 1 } });
  }

  toOnnx(input: ValueInfo, outputs: readonly ValueInfo[]): Uint8Array {
    const header = { irVersion: 6, opset: 11, producer: 'generate-topology' };
    return writeModel(header, this.graph.build('topology', [input], outputs));
  }

  #randomConstant(dims: readonly number[], scale: number, offset = 0): TensorName {
    const length = dims.reduce((product, dim) => product * dim, 1);
    const values = Float32Array.from({ length }, () => offset + scale * this.#random());
    return this.graph.constant(values, dims);
  }

  /** Uniform in -1..1 (a linear congruential generator: repeatability matters here, statistical quality does not). */
  #random(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) | 0;
    return this.#state / 2 ** 31;
  }
}

/**
 * IResNet-50 as ArcFace trains it and PyTorch exports it: batch normalisation is folded into the preceding convolutions.
 * Source: deepinsight/insightface, recognition/arcface_torch/backbones/iresnet.py.
 */
export function iresnet50(): Uint8Array {
  const net = new RandomNetwork();
  let x = net.prelu(net.conv('input.1', 3, 64), 64);
  let channels = 64;
  for (const [stage, blocks] of [3, 4, 14, 3].entries()) {
    const width = 64 << stage;
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? 2 : 1;
      const inner = net.prelu(net.conv(net.batchNorm(x, channels), channels, width), width);
      const branch = net.conv(inner, width, width, { stride, gain: 0.3 });
      const shortcut = block === 0 ? net.conv(x, channels, width, { kernel: 1, stride, gain: 0.6 }) : x;
      x = net.add(branch, shortcut);
      channels = width;
    }
  }
  const flat = net.graph.add('Flatten', [net.batchNorm(x, 512)], { axis: { int: 1 } });
  const features = net.gemm(flat, 512 * 7 * 7, 512);
  const one = net.graph.floats(new Array(512).fill(1));
  const zero = net.graph.floats(new Array(512).fill(0));
  const inputs = [features, one, zero, zero, one];
  net.graph.add('BatchNormalization', inputs, { epsilon: { float: 2e-5 } }, 'embedding');
  return net.toOnnx(tensor('input.1', ['N', 3, 112, 112]), [tensor('embedding', ['N', 512])]);
}

/** Channels, blocks and first stride of the backbone's stages. */
const SCRFD_STAGES = [
  { width: 56, blocks: 3, firstStride: 1 },
  { width: 88, blocks: 4, firstStride: 2 },
  { width: 88, blocks: 2, firstStride: 2 },
  { width: 224, blocks: 3, firstStride: 2 },
] as const;

interface FeatureMap {
  tensor: TensorName;
  channels: number;
}

/** A value for each of the strides 8, 16 and 32. */
type Levels<T> = [T, T, T];

/**
 * SCRFD-10G with landmarks. Source: deepinsight/insightface, detection/scrfd: configs/scrfd/scrfd_10g_bnkps.py,
 * mmdet/models/backbones/resnet.py (ResNetV1e: three-layer stem, pooled shortcuts), dense_heads/scrfd_head.py.
 */
export function scrfd10g(): Uint8Array {
  const net = new RandomNetwork();
  const outputs = addPyramid(net, addBackbone(net)).map((map, level) => addHeads(net, map, 8 << level));
  // All scores come first, then all boxes, then all landmarks.
  const byKind = [0, 1, 2].flatMap((kind) => outputs.flatMap((level) => level[kind] ?? []));
  return net.toOnnx(tensor('input.1', [1, 3, 'height', 'width']), byKind);
}

function addBackbone(net: RandomNetwork): Levels<FeatureMap> {
  let x = net.relu(net.conv('input.1', 3, 28, { stride: 2 }));
  x = net.relu(net.conv(net.relu(net.conv(x, 28, 28)), 28, 56));
  x = net.graph.add('MaxPool', [x], squareWindow(3, 2, 1));
  let channels = 56;
  const [, ...maps] = SCRFD_STAGES.map(({ width, blocks, firstStride }) => {
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? firstStride : 1;
      const inner = net.relu(net.conv(x, channels, width, { stride }));
      const branch = net.conv(inner, width, width, { gain: 0.3 });
      const shortcut = stride === 2 ? addPooledShortcut(net, x, channels, width) : x;
      x = net.relu(net.add(branch, shortcut));
      channels = width;
    }
    return { tensor: x, channels };
  });
  return maps as Levels<FeatureMap>;
}

function addPooledShortcut(net: RandomNetwork, x: TensorName, channels: number, width: number): TensorName {
  const pooled = net.graph.add('AveragePool', [x], squareWindow(2, 2, 0));
  return net.conv(pooled, channels, width, { kernel: 1, gain: 0.6 });
}

/** PAFPN with 56 channels at each of the three levels. */
function addPyramid(net: RandomNetwork, maps: Levels<FeatureMap>): Levels<TensorName> {
  const conv = (x: TensorName, stride = 1) => net.conv(x, 56, 56, { stride, gain: 0.6 });
  const [lateral8, lateral16, top32] = maps.map((map) =>
    net.conv(map.tensor, map.channels, 56, { kernel: 1, gain: 0.6 }),
  ) as Levels<TensorName>;
  const top16 = net.add(lateral16, addUpsampling(net, top32));
  const top8 = net.add(lateral8, addUpsampling(net, top16));

  const [smooth8, smooth16, smooth32] = [top8, top16, top32].map((map) => conv(map)) as Levels<TensorName>;
  const bottom16 = net.add(smooth16, conv(smooth8, 2));
  const bottom32 = net.add(smooth32, conv(bottom16, 2));
  return [smooth8, conv(bottom16), conv(bottom32)];
}

/** Twice the height and width. */
function addUpsampling(net: RandomNetwork, map: TensorName): TensorName {
  const scales = net.graph.floats([1, 1, 2, 2]);
  return net.graph.add('Resize', [map, net.graph.floats([]), scales], {
    coordinate_transformation_mode: { string: 'asymmetric' },
    mode: { string: 'nearest' },
    nearest_mode: { string: 'floor' },
  });
}

/** Three convolutions of 80 channels, then score, box (times a learnt number) and landmarks of two anchors. */
function addHeads(net: RandomNetwork, map: TensorName, stride: number): ValueInfo[] {
  let x = map;
  for (const channels of [56, 80, 80]) x = net.relu(net.conv(x, channels, 80));
  const box = net.graph.add('Mul', [net.conv(x, 80, 8, { gain: 0.3 }), net.graph.floats([1.3], [])]);
  const score = net.conv(x, 80, 2, { gain: 0.3 });
  const landmarks = net.conv(x, 80, 20, { gain: 0.3 });
  const addRows = (values: TensorName, columns: number, name?: string) => {
    const transposed = net.graph.add('Transpose', [values], { perm: { ints: [2, 3, 0, 1] } });
    return net.graph.add('Reshape', [transposed, net.graph.ints([-1, columns])], {}, name);
  };
  net.graph.add('Sigmoid', [addRows(score, 1)], {}, `score_${stride}`);
  addRows(box, 4, `box_${stride}`);
  addRows(landmarks, 10, `landmarks_${stride}`);
  return [
    tensor(`score_${stride}`, ['anchors', 1]),
    tensor(`box_${stride}`, ['anchors', 4]),
    tensor(`landmarks_${stride}`, ['anchors', 10]),
  ];
}

function squareWindow(size: number, stride: number, pad: number): Record<string, Attribute> {
  return {
    kernel_shape: { ints: [size, size] },
    pads: { ints: [pad, pad, pad, pad] },
    strides: { ints: [stride, stride] },
  };
}

function tensor(name: string, dims: Dims): ValueInfo {
  return { name, elementType: 'float', dims };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [network = '', file] = process.argv.slice(2);
  const generate = new Map([
    ['iresnet50', iresnet50],
    ['scrfd10g', scrfd10g],
  ]).get(network);
  if (generate === undefined || file === undefined) {
    console.error(
      'Usage: node tools/run.mjs build/tools/generate-topology.js <iresnet50|scrfd10g> <file.onnx>',
    );
    process.exit(1);
  }
  const bytes = generate();
  writeFileSync(file, bytes);
  console.log(`${file}: ${bytes.length} bytes`);
}
