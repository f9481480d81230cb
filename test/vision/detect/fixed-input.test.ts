import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { writeModel } from '../../../src/onnx/writer.ts';
import { STANDARD_DETECTOR } from '../../../src/packs/pack.ts';
import { openDetector } from '../../../src/vision/detect/open-detector.ts';
import { syntheticDetector } from '../../../tools/synthetic/detector.ts';
import { watchRuns } from '../../support/engine/inference-runs.ts';

/** The synthetic detector, whose input may be of one size. */
async function openSession(side: number | string): Promise<ort.InferenceSession> {
  const graph = syntheticDetector({ embedded: false });
  const inputs = graph.inputs.map((input) => ({ ...input, dims: [1, 3, side, side] }));
  return ort.InferenceSession.create(
    writeModel({ irVersion: 7, opset: 13, producer: 'test' }, { ...graph, inputs }),
  );
}

it.each([
  { side: 'side', sides: [128, 640] },
  { side: 320, sides: [320] },
])('a detector whose input has the side $side is run at $sides', async ({ side, sides }) => {
  const session = await openSession(side);
  const detector = openDetector(STANDARD_DETECTOR, { session, sizes: [128, 640] });
  const watched = watchRuns();
  try {
    const data = new Uint8Array(200 * 200 * 3).map((_, index) => (index * 7) % 256);
    await detector.detectFaces({ data, width: 200, height: 200 }, 0.5, { coresIdle: false });
    expect(watched.runs.map(({ input }) => input.dims[2])).toEqual(sides);
  } finally {
    watched.stop();
  }
});

it('a detector whose only size is no multiple of 32 is refused when it is opened', async () => {
  const session = await openSession(100);
  expect(() => openDetector(STANDARD_DETECTOR, { session, sizes: [128, 640] })).toThrow(
    'The detector takes 100×100 pixels only; accepted are sides that are multiples of 32.',
  );
});
