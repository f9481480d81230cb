import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { writeModel } from '../../../src/onnx/writer.ts';
import { DETECTOR_PREPROCESSING } from '../../../src/packs/pack.ts';
import { LetterboxDetector } from '../../../src/vision/detect/letterbox-detector.ts';
import { SCRFD_OVERLAP, SCRFD_SCALE, ScrfdNetwork } from '../../../src/vision/detect/scrfd/network.ts';
import { syntheticDetector } from '../../../tools/synthetic/detector.ts';
import { watchRuns } from '../../support/engine/inference-runs.ts';

/** The synthetic detector, with inputs of 256 and 512 pixels. */
async function openAt(enlargement: number | undefined): Promise<LetterboxDetector> {
  const graph = syntheticDetector({ embedded: false });
  const model = writeModel({ irVersion: 7, opset: 13, producer: 'test' }, graph);
  return new LetterboxDetector(new ScrfdNetwork(await ort.InferenceSession.create(model)), {
    sizes: [512, 256],
    letterbox: DETECTOR_PREPROCESSING.scrfd,
    overlap: SCRFD_OVERLAP,
    scale: SCRFD_SCALE,
    enlargement,
  });
}

it.each([
  { enlargement: 1.5, longer: 640, sides: [256, 512] },
  { enlargement: 1.5, longer: 257, sides: [256, 512] },
  { enlargement: 1.5, longer: 256, sides: [256, 384] },
  { enlargement: 1.5, longer: 171, sides: [256, 384] },
  { enlargement: 1.5, longer: 170, sides: [256] },
  { enlargement: undefined, longer: 100, sides: [256, 512] },
])('a picture of $longer pixels is seen at $sides where $enlargement is enough', async (expected) => {
  const { enlargement, longer, sides } = expected;
  const detector = await openAt(enlargement);
  for (const [width, height] of [
    [longer, 90],
    [90, longer],
  ] as const) {
    const watched = watchRuns();
    try {
      const data = new Uint8Array(width * height * 3).map((_, index) => (index * 7) % 256);
      await detector.detectFaces({ data, width, height }, 0.5);
      expect(watched.runs.map(({ input }) => input.dims[2])).toEqual(sides);
    } finally {
      watched.stop();
    }
  }
});
