import type { DetectedFace } from '../../../vision/detect/face.ts';
import type { Networks } from '../../../vision/networks.ts';
import type { Picture } from '../../../vision/picture.ts';
import type { BothNetworks } from './comparison.ts';
import { quantile } from './quantile.ts';

const ROUNDS = 5;

/** Medians on one thread, in milliseconds. */
export interface SpeedFigures {
  detector: { float: number; int8: number };
  recogniser: { float: number; int8: number };
  /** How many times as fast a photograph with one face is in 8 bits: the median over the photographs and rounds. */
  gain: number;
}

interface Sample {
  detect: number;
  recognise: number;
}

/**
 * Times the networks on photographs, both packs by turns, so that other work of the machine slows both.
 *
 * @param samples with a face each.
 */
export async function measureSpeed(
  samples: readonly { picture: Picture; face: DetectedFace }[],
  { float, int8 }: BothNetworks,
  threshold: number,
): Promise<SpeedFigures> {
  const times: { float: Sample; int8: Sample }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const { picture, face } of samples) {
      const run = (networks: Networks) => timeNetworks(networks, picture, face, threshold);
      times.push({ float: await run(float), int8: await run(int8) });
    }
  }
  const median = (pick: (time: (typeof times)[number]) => number) => quantile(times.map(pick), 0.5);
  const total = ({ detect, recognise }: Sample) => detect + recognise;
  return {
    detector: { float: median((time) => time.float.detect), int8: median((time) => time.int8.detect) },
    recogniser: {
      float: median((time) => time.float.recognise),
      int8: median((time) => time.int8.recognise),
    },
    gain: median((time) => total(time.float) / total(time.int8)),
  };
}

async function timeNetworks(
  { detector, recogniser }: Networks,
  picture: Picture,
  { landmarks }: DetectedFace,
  threshold: number,
): Promise<Sample> {
  const started = performance.now();
  await detector.detectFaces(picture, threshold);
  const detected = performance.now();
  await recogniser.embedAligned(recogniser.alignFace(picture, landmarks));
  return { detect: detected - started, recognise: performance.now() - detected };
}
