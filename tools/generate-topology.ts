// Writes networks with the topology and shapes of InsightFace's larger pack and random weights, to measure the graph
// rewrites where the weights themselves cannot be had. They recognise and detect nothing.
// Usage: node tools/generate-topology.ts <iresnet50|scrfd10g> <file.onnx>
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeModel } from '../src/onnx/writer.ts';
import { GraphBuilder } from './graph-builder.ts';

/** A graph builder that knows layers: each draws its weights, in the order of the calls. */
class Network {
  graph = new GraphBuilder();
  #state = 1;

  /** Uniform in -1..1 (a linear congruential generator: statistics do not matter, repeatability does). */
  #random() {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) | 0;
    return this.#state / 2 ** 31;
  }

  #drawn(dims, scale, offset = 0) {
    const values = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
    for (let i = 0; i < values.length; i++) values[i] = offset + scale * this.#random();
    return this.graph.constant(values, dims);
  }

  /** `gain` 1 keeps the variance of what goes in (He et al., 2015). */
  conv(input, inputs, outputs, { kernel = 3, stride = 1, gain = 1 } = {}) {
    const weights = this.#drawn(
      [outputs, inputs, kernel, kernel],
      gain * Math.sqrt(6 / (inputs * kernel ** 2)),
    );
    const bias = this.#drawn([outputs], 0.1);
    const pad = (kernel - 1) / 2;
    return this.graph.add('Conv', [input, weights, bias], {
      dilations: { ints: [1, 1] },
      group: { int: 1 },
      kernel_shape: { ints: [kernel, kernel] },
      pads: { ints: [pad, pad, pad, pad] },
      strides: { ints: [stride, stride] },
    });
  }

  batchNorm(input, channels) {
    const [scale, shift, mean] = [1, 0, 0].map((offset) => this.#drawn([channels], 0.1, offset));
    const variance = this.#drawn([channels], 0.1, 1);
    return this.graph.add('BatchNormalization', [input, scale, shift, mean, variance], {
      epsilon: { float: 1e-5 },
    });
  }

  /** Slopes of -0.35 to 1.05: most below 1, some negative, some above 1. */
  prelu(input, channels) {
    return this.graph.add('PRelu', [input, this.#drawn([channels, 1, 1], 0.7, 0.35)]);
  }

  relu = (input) => this.graph.add('Relu', [input]);
  add = (a, b, name) => this.graph.add('Add', [a, b], {}, name);

  gemm(input, inputs, outputs) {
    const weights = this.#drawn([outputs, inputs], Math.sqrt(3 / inputs));
    return this.graph.add('Gemm', [input, weights, this.#drawn([outputs], 0.1)], { transB: { int: 1 } });
  }

  bytes(opset, inputs, outputs) {
    const header = { irVersion: 6, opset, producer: 'generate-topology' };
    const tensor = ([name, dims]) => ({ name, elementType: 'float', dims });
    return writeModel(header, this.graph.build('topology', inputs.map(tensor), outputs.map(tensor)));
  }
}

/**
 * IResNet-50 as ArcFace trains it and PyTorch exports it: batch normalisation folded into the convolutions it follows.
 * Source: deepinsight/insightface, recognition/arcface_torch/backbones/iresnet.py.
 */
export function iresnet50() {
  const net = new Network();
  let x = net.prelu(net.conv('input.1', 3, 64), 64);
  let channels = 64;
  for (const [stage, blocks] of [3, 4, 14, 3].entries()) {
    const width = 64 << stage;
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? 2 : 1;
      const inner = net.prelu(net.conv(net.batchNorm(x, channels), channels, width), width);
      const branch = net.conv(inner, width, width, { stride, gain: 0.3 });
      x = net.add(branch, block === 0 ? net.conv(x, channels, width, { kernel: 1, stride, gain: 0.6 }) : x);
      channels = width;
    }
  }
  const flat = net.graph.add('Flatten', [net.batchNorm(x, 512)], { axis: { int: 1 } });
  const features = net.gemm(flat, 512 * 7 * 7, 512);
  const [one, zero] = [1, 0].map((value) => net.graph.floats(new Array(512).fill(value)));
  net.graph.add(
    'BatchNormalization',
    [features, one, zero, zero, one],
    { epsilon: { float: 2e-5 } },
    'embedding',
  );
  return net.bytes(11, [['input.1', ['N', 3, 112, 112]]], [['embedding', ['N', 512]]]);
}

/**
 * SCRFD-10G with landmarks. Source: deepinsight/insightface, detection/scrfd: configs/scrfd/scrfd_10g_bnkps.py,
 * mmdet/models/backbones/resnet.py (ResNetV1e: three-layer stem, pooled short cuts), dense_heads/scrfd_head.py.
 */
export function scrfd10g() {
  const net = new Network();
  const widths = [56, 88, 88, 224];
  let x = net.relu(net.conv('input.1', 3, 28, { stride: 2 }));
  x = net.relu(net.conv(net.relu(net.conv(x, 28, 28)), 28, 56));
  x = net.graph.add('MaxPool', [x], squareWindow(3, 2, 1));
  const maps = [];
  let channels = 56;
  for (const [stage, blocks] of [3, 4, 2, 3].entries()) {
    for (let block = 0; block < blocks; block++) {
      const width = widths[stage];
      const stride = block === 0 && stage > 0 ? 2 : 1;
      const branch = net.conv(net.relu(net.conv(x, channels, width, { stride })), width, width, {
        gain: 0.3,
      });
      const pooled = stride === 2 ? net.graph.add('AveragePool', [x], squareWindow(2, 2, 0)) : x;
      const shortCut = stride === 2 ? net.conv(pooled, channels, width, { kernel: 1, gain: 0.6 }) : pooled;
      x = net.relu(net.add(branch, shortCut));
      channels = width;
    }
    maps.push(x);
  }
  const outputs = pyramid(net, maps.slice(1), widths.slice(1)).map((map, level) => heads(net, map, level));
  const named = [0, 1, 2].flatMap((kind) => outputs.map((level) => level[kind]));
  return net.bytes(11, [['input.1', [1, 3, 'height', 'width']]], named);
}

const squareWindow = (size, stride, pad) => ({
  kernel_shape: { ints: [size, size] },
  strides: { ints: [stride, stride] },
  pads: { ints: [pad, pad, pad, pad] },
});

/** PAFPN with 56 channels at each of three levels. */
function pyramid(net, maps, widths) {
  const plain = (x, stride = 1) => net.conv(x, 56, 56, { stride, gain: 0.6 });
  const laterals = maps.map((map, i) => net.conv(map, widths[i], 56, { kernel: 1, gain: 0.6 }));
  for (const level of [1, 0]) {
    const scales = net.graph.floats([1, 1, 2, 2]);
    const larger = net.graph.add('Resize', [laterals[level + 1], net.graph.floats([]), scales], {
      coordinate_transformation_mode: { string: 'asymmetric' },
      mode: { string: 'nearest' },
      nearest_mode: { string: 'floor' },
    });
    laterals[level] = net.add(laterals[level], larger);
  }
  const smooth = laterals.map((lateral) => plain(lateral));
  for (const level of [1, 2]) smooth[level] = net.add(smooth[level], plain(smooth[level - 1], 2));
  return [smooth[0], plain(smooth[1]), plain(smooth[2])];
}

/** Three convolutions of 80 channels, then score, box (times a learnt number) and landmarks of two anchors. */
function heads(net, map, level) {
  let x = map;
  for (const channels of [56, 80, 80]) x = net.relu(net.conv(x, channels, 80));
  const box = net.graph.add('Mul', [net.conv(x, 80, 8, { gain: 0.3 }), net.graph.floats([1.3], [])]);
  const maps = [net.conv(x, 80, 2, { gain: 0.3 }), box, net.conv(x, 80, 20, { gain: 0.3 })];
  return ['score', 'box', 'landmarks'].map((kind, i) => {
    const columns = [1, 4, 10][i];
    const name = `${kind}_${8 << level}`;
    const transposed = net.graph.add('Transpose', [maps[i]], { perm: { ints: [2, 3, 0, 1] } });
    const shape = net.graph.ints([-1, columns]);
    const rows = net.graph.add('Reshape', [transposed, shape], {}, i === 0 ? undefined : name);
    if (i === 0) net.graph.add('Sigmoid', [rows], {}, name);
    return [name, ['anchors', columns]];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [network, file] = process.argv.slice(2);
  const generate = { iresnet50, scrfd10g }[network];
  if (generate === undefined || file === undefined) {
    console.error('Usage: node tools/generate-topology.ts <iresnet50|scrfd10g> <file.onnx>');
    process.exit(1);
  }
  const bytes = generate();
  writeFileSync(file, bytes);
  console.log(`${file}: ${bytes.length} bytes`);
}
