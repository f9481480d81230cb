import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { type RewrittenGraph, rewriteDetector } from '../../src/onnx/rewrite/rewrite.ts';
import { STANDARD_DETECTOR } from '../../src/packs/pack.ts';
import type { DetectedFace } from '../../src/vision/detect/face.ts';
import { openDetector } from '../../src/vision/detect/open-detector.ts';
import { seededRandom } from '../support/numbers.ts';
import { appliedTo, TestNetwork } from '../support/packs/onnx-graphs.ts';

interface Shape {
  opset?: number;
  /** On which side of the multiplication the constant factor of the boxes is; undefined for no factor. */
  scaled?: 'left' | 'right';
  bias?: boolean;
  perm?: number[];
  kernel?: number;
  /** Whether boxes and scores have different inputs. */
  separate?: boolean;
  /** What has a second consumer: the boxes, or the feature map that becomes the boxes. */
  shared?: 'boxes' | 'map';
  landmarks?: boolean;
  anchors?: number;
  scale?: number[];
  /** Whether scores are the outputs of the convolution, without a Sigmoid. */
  raw?: boolean;
}

const CHANNELS = 6;

/** A network with the outputs of SCRFD and random weights. */
function detector(shape: Shape = {}): Uint8Array<ArrayBuffer> {
  const {
    opset = 13,
    scaled,
    bias = true,
    perm = [2, 3, 0, 1],
    kernel = 3,
    landmarks = true,
    anchors = 2,
  } = shape;
  const net = new TestNetwork(5);
  const rows = (map: string, values: number, name: string) =>
    net.graph.add(
      'Reshape',
      [net.graph.add('Transpose', [map], { perm: { ints: perm } }), net.graph.ints([-1, values])],
      {},
      name,
    );
  const outputs: string[][] = [[], [], []];
  for (const stride of [8, 16, 32]) {
    const stem = () => {
      const folded = net.conv('x', { inputs: 3, outputs: CHANNELS, kernel: stride, stride, pad: 0 });
      return net.graph.add('Relu', [folded]);
    };
    const features = stem();
    const head = (values: number, of = features) =>
      net.conv(of, { inputs: CHANNELS, outputs: anchors * values, kernel, bias });
    const scores = rows(head(1), 1, `scores_${stride}`);
    outputs[0]?.push(shape.raw ? scores : net.graph.add('Sigmoid', [scores]));
    const map = head(4, shape.separate ? stem() : features);
    const factor = net.graph.floats(
      shape.scale ?? [1.5 + stride],
      shape.scale ? [shape.scale.length, 1, 1] : [],
    );
    const factors = scaled === 'left' ? [factor, map] : [map, factor];
    const boxes = rows(scaled ? net.graph.add('Mul', factors) : map, 4, `boxes_${stride}`);
    outputs[1]?.push(boxes);
    if (landmarks) outputs[2]?.push(rows(head(10), 10, `landmarks_${stride}`));
    if (shape.shared) {
      const other = net.graph.add('Relu', [shape.shared === 'boxes' ? boxes : map]);
      outputs[2]?.splice(-1, 1, other);
    }
  }
  return net.model(outputs.flat(), { opset });
}

async function search(
  { bytes, heads }: Pick<RewrittenGraph, 'bytes' | 'heads'>,
  threshold: number,
): Promise<DetectedFace[][]> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const sizes = [64, 128];
  const faceDetector = openDetector(STANDARD_DETECTOR, { session, sizes, heads });
  const random = seededRandom(3);
  const found: DetectedFace[][] = [];
  for (const [width, height] of [
    [100, 100],
    [130, 70],
    [40, 90],
  ] as const) {
    const data = Uint8Array.from({ length: width * height * 3 }, () => 256 * random());
    found.push(await faceDetector.detectFaces({ data, width, height }, threshold));
  }
  return found;
}

async function expectDeferred(model: Uint8Array<ArrayBuffer>): Promise<void> {
  const rewritten = rewriteDetector(model);
  expect(appliedTo(rewritten)).toMatch(/^deferred-heads 3/);
  // With random weights about half of the cells exceed 0.5, so many faces are found, also at the edges.
  const many = await expectSameFaces(model, rewritten, 0.5);
  expect(many.length).toBeGreaterThan(30);
  // With this threshold hardly any row of features is kept.
  const highest = Math.max(...many.map(({ score }) => score));
  const few = await expectSameFaces(model, rewritten, highest - 1e-4);
  expect(few.length).toBeGreaterThan(0);
  expect(few.length).toBeLessThan(5);
}

async function expectSameFaces(
  model: Uint8Array<ArrayBuffer>,
  rewritten: RewrittenGraph,
  threshold: number,
): Promise<DetectedFace[]> {
  const expected = await search({ bytes: model }, threshold);
  const found = await search(rewritten, threshold);
  expect(found.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  expect(
    largestDifference(
      found.flat().map(({ score }) => [score]),
      expected.flat().map(({ score }) => [score]),
    ),
  ).toBeLessThan(1e-5);
  expect(largestDifference(found.flat().map(numbersOf), expected.flat().map(numbersOf))).toBeLessThan(1e-3);
  return expected.flat();
}

const numbersOf = ({ box, landmarks }: DetectedFace) => [...Object.values<number>({ ...box }), ...landmarks];

function largestDifference(actual: number[][], expected: number[][]): number {
  const others = expected.flat();
  return actual.flat().reduce((largest, number, index) => {
    const difference = Math.abs(number - (others[index] as number));
    // NaN must not pass as a small difference.
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(largest, difference);
  }, 0);
}

describe('deferHeads', () => {
  it.each([9, 11, 13, 17, 18])('finds the same faces in opset %i', (opset) =>
    expectDeferred(detector({ opset })),
  );

  it.each([
    ['a constant factor of the boxes', { scaled: 'right' }],
    ['a constant factor on the left', { scaled: 'left' }],
    ['no bias', { bias: false }],
    ['scores without a Sigmoid', { raw: true }],
    ['another permutation to channels last', { perm: [0, 2, 3, 1] }],
  ] as [string, Shape][])('finds the same faces with %s', (_, shape) => expectDeferred(detector(shape)));

  it('keeps the rows with a score above the threshold and their neighbours', async () => {
    const { bytes, heads } = rewriteDetector(detector());
    const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
    const { threshold = '', levels = [] } = heads ?? {};
    expect(session.inputNames).toEqual(['x', threshold]);
    expect(session.outputNames.slice(3)).toEqual([
      ...levels.map(({ features }) => features),
      ...levels.map(({ kept }) => kept),
    ]);
    const x = new ort.Tensor(
      'float32',
      new Float32Array(3 * 128 * 128).map(seededRandom(8)),
      [1, 3, 128, 128],
    );
    const run = async (above: number) => {
      const outputs = await session.run({
        x,
        [threshold]: new ort.Tensor('float32', Float32Array.of(above), [1]),
      });
      return session.outputNames.map((name) => outputs[name]?.data as Float32Array | Uint8Array);
    };
    const [scores = [], , , features, , , kept] = await run(-1);
    expect(kept).toEqual(new Uint8Array(16).fill(1));
    expect(features).toHaveLength(CHANNELS * 16 * 16);
    const [, , , none, , , keptNone] = await run(2);
    expect(keptNone).toEqual(new Uint8Array(16));
    expect(none).toHaveLength(0);

    const ranked = Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number));
    const [best = 0, second = 0] = ranked;
    const [, , , some, , , near] = await run(((scores[best] as number) + (scores[second] as number)) / 2);
    const row = Math.floor(best / 2 / 16);
    expect(near).toEqual(Uint8Array.from({ length: 16 }, (_, at) => (Math.abs(at - row) <= 1 ? 1 : 0)));
    const rows = (near as Uint8Array).reduce((sum, here) => sum + here, 0);
    const first = Math.max(0, row - 1) * 16;
    const expected = Array.from({ length: CHANNELS }, (_, channel) =>
      Array.from(features?.subarray(channel * 256 + first, channel * 256 + first + rows * 16) ?? []),
    );
    expect(Array.from(some ?? [])).toEqual(expected.flat());
  });

  it.each([
    ['boxes and scores have different inputs', { separate: true }],
    ['the boxes have another consumer', { shared: 'boxes' }],
    ['the feature map of the boxes has another consumer', { shared: 'map' }],
    ['kernels have another size', { kernel: 1 }],
    ['there are no landmarks', { landmarks: false }],
    ['there is another number of anchors', { anchors: 3 }],
    ['each channel has its own factor', { scaled: 'right', scale: [1, 2, 3, 4, 5, 6, 7, 8] }],
    ['the transposes have another permutation', { perm: [3, 2, 0, 1] }],
  ] as [string, Shape][])('does not change the heads if %s', async (_, shape) => {
    const model = detector(shape);
    const rewritten = rewriteDetector(model);
    expect(rewritten.heads).toBeUndefined();
    expect(appliedTo(rewritten)).not.toContain('deferred-heads');
    const session = await ort.InferenceSession.create(rewritten.bytes);
    const original = await ort.InferenceSession.create(model);
    expect(session.outputNames).toEqual(original.outputNames);
  });

  it('returns bytes that are not a model unchanged', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    expect(rewriteDetector(bytes)).toEqual({ bytes, applied: [], heads: undefined });
  });
});
