import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { DETECTOR_PREPROCESSING } from '../../src/models/pack.ts';
import { type RewrittenGraph, rewriteDetector } from '../../src/models/rewrite/rewrite.ts';
import { type DetectedFace, FaceDetector } from '../../src/vision/detector.ts';
import { seededRandom } from '../support/numbers.ts';
import { appliedTo, TestNetwork } from '../support/onnx-graphs.ts';

interface Shape {
  opset?: number;
  /** Whether boxes are multiplied by a learnt number, and on which side it stands. */
  scaled?: 'left' | 'right';
  bias?: boolean;
  perm?: number[];
  kernel?: number;
  /** Whether boxes are of another tensor than scores. */
  apart?: boolean;
  /** Whether somebody reads the boxes, or what is to become them, besides. */
  watched?: 'boxes' | 'map';
  landmarks?: boolean;
  anchors?: number;
  scale?: number[];
}

const CHANNELS = 6;

/** SCRFD's outputs, of random weights. */
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
    outputs[0]?.push(net.graph.add('Sigmoid', [scores]));
    const map = head(4, shape.apart ? stem() : features);
    const factor = net.graph.floats(
      shape.scale ?? [1.5 + stride],
      shape.scale ? [shape.scale.length, 1, 1] : [],
    );
    const factors = scaled === 'left' ? [factor, map] : [map, factor];
    const boxes = rows(scaled ? net.graph.add('Mul', factors) : map, 4, `boxes_${stride}`);
    outputs[1]?.push(boxes);
    if (landmarks) outputs[2]?.push(rows(head(10), 10, `landmarks_${stride}`));
    if (shape.watched) {
      const watched = net.graph.add('Relu', [shape.watched === 'boxes' ? boxes : map]);
      outputs[2]?.splice(-1, 1, watched);
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
  const faceDetector = new FaceDetector(session, { sizes, preprocessing: DETECTOR_PREPROCESSING, heads });
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
  // A score of one half is what a cell without an opinion has, so that many are found, at the edges too.
  const wanted = await search({ bytes: model }, 0.5);
  const found = await search(rewritten, 0.5);
  expect(wanted.flat().length).toBeGreaterThan(30);
  expect(found.map(({ length }) => length)).toEqual(wanted.map(({ length }) => length));
  expect(
    largestDifference(
      found.flat().map(({ score }) => [score]),
      wanted.flat().map(({ score }) => [score]),
    ),
  ).toBeLessThan(1e-5);
  expect(largestDifference(found.flat().map(numbersOf), wanted.flat().map(numbersOf))).toBeLessThan(1e-3);
}

const numbersOf = ({ box, landmarks }: DetectedFace) => [...Object.values<number>({ ...box }), ...landmarks];

function largestDifference(got: number[][], wanted: number[][]): number {
  const others = wanted.flat();
  return got.flat().reduce((most, number, index) => {
    const difference = Math.abs(number - (others[index] as number));
    // Not a number is no small difference.
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(most, difference);
  }, 0);
}

describe('the heads of a detector', () => {
  it.each([9, 11, 13, 17])('are computed where they are wanted, to the same faces, in opset %i', (opset) =>
    expectDeferred(detector({ opset })),
  );

  it.each([
    ['a learnt factor of the boxes', { scaled: 'right' }],
    ['a learnt factor on the left', { scaled: 'left' }],
    ['no bias', { bias: false }],
    ['another way to bring channels last', { perm: [0, 2, 3, 1] }],
  ] as [string, Shape][])('are deferred with %s', (_, shape) => expectDeferred(detector(shape)));

  it('are outputs no more', async () => {
    const { bytes, heads } = rewriteDetector(detector());
    const session = await ort.InferenceSession.create(bytes);
    expect(session.outputNames).toHaveLength(6);
    expect(session.outputNames.slice(3)).toEqual(heads?.map(({ features }) => features));
    expect(bytes.length).toBeLessThan(detector().length);
  });

  it.each([
    ['boxes are made of something else than scores', { apart: true }],
    ['somebody else reads the boxes', { watched: 'boxes' }],
    ['somebody else reads what becomes the boxes', { watched: 'map' }],
    ['kernels are of another size', { kernel: 1 }],
    ['there are no landmarks', { landmarks: false }],
    ['there is another number of anchors', { anchors: 3 }],
    ['each channel has a factor of its own', { scaled: 'right', scale: [1, 2, 3, 4, 5, 6, 7, 8] }],
    ['channels come last in another order', { perm: [3, 2, 0, 1] }],
  ] as [string, Shape][])('stay in the graph where %s', async (_, shape) => {
    const model = detector(shape);
    const rewritten = rewriteDetector(model);
    expect(rewritten.heads).toBeUndefined();
    expect(appliedTo(rewritten)).not.toContain('deferred-heads');
    const session = await ort.InferenceSession.create(rewritten.bytes);
    const untouched = await ort.InferenceSession.create(model);
    expect(session.outputNames).toEqual(untouched.outputNames);
  });

  it('leave bytes that are no model as they are', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    expect(rewriteDetector(bytes)).toEqual({ bytes, applied: [], heads: undefined });
  });
});
