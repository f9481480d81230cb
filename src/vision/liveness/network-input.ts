import type { LivenessFamily, LivenessNetwork } from '../../packs/liveness/identify-network.ts';
import type { BoundingBox, Landmarks } from '../detect/face.ts';
import type { Pixels } from '../picture.ts';
import { warpForLiveness } from './aligned-crop.ts';
import { type Region, regionWithin, shareInside, squareRegion } from './regions.ts';
import { averageRegion, interpolateRegion } from './resize.ts';

/** How a family's networks are fed, and what they say. */
interface Recipe {
  /** Side of the square input. */
  side: number;
  /** Offsets of the input's planes in an interleaved R, G, B pixel. */
  channels: readonly [number, number, number];
  /** What 8-bit levels are divided by. */
  divisor: number;
  /** Numbers of the output for one face. */
  outputs: number;
  /** Which of the classes is live; undefined where the output is the probability itself. */
  liveClass: number | undefined;
}

/**
 * Sources: minivision-ai/Silent-Face-Anti-Spoofing, src/anti_spoof_predict.py and src/data_io/functional.py (OpenCV's order of
 * channels, levels as they are); facenox/face-antispoof-onnx, src/inference; insightface 2.1, addons/liveness.py.
 */
export const RECIPES: Readonly<Record<LivenessFamily, Recipe>> = {
  minifasnet: { side: 80, channels: [2, 1, 0], divisor: 1, outputs: 3, liveClass: 1 },
  facenox: { side: 128, channels: [0, 1, 2], divisor: 255, outputs: 2, liveClass: 0 },
  insightface: { side: 80, channels: [0, 1, 2], divisor: 255, outputs: 1, liveClass: undefined },
};

/** Why a face gets no score. */
export const LIVENESS_REASONS = ['TOO_SMALL', 'CUT_OFF', 'TOO_BLURRED'] as const;

export type LivenessReason = (typeof LIVENESS_REASONS)[number];

/** Maximum share outside the picture. Source: insightface 2.1, addons/liveness.py (MAX_OOB_RATIO). */
const MAX_OUTSIDE = 0.3;

/**
 * Makes the input of a network.
 *
 * A face is too small where its crop has fewer pixels than the input: the network would judge what interpolation made. It is cut
 * off where more than 30 % is outside the picture: of its crop, or of its box where the crop is shifted into the picture.
 *
 * @returns three planes of floats; or why the network cannot judge this face.
 */
export function networkInput(
  picture: Pixels,
  face: { box: BoundingBox; landmarks: Landmarks },
  { family, boxes = 1 }: LivenessNetwork,
): Float32Array<ArrayBuffer> | LivenessReason {
  const { side } = RECIPES[family];
  const pixels = new Uint8Array(side * side * 3);
  if (family === 'insightface') {
    const { inside, reduction } = warpForLiveness(picture, face.landmarks, side, pixels);
    return refusal(reduction < 1, inside) ?? toPlanes(pixels, RECIPES[family]);
  }
  const square = squareRegion(face.box, boxes);
  const isShifted = family === 'minifasnet';
  const region = isShifted ? regionWithin(picture, face.box, boxes) : square;
  const inside = shareInside(isShifted ? regionOf(face.box) : square, picture);
  const reason = refusal(Math.min(region.width, region.height) < side, inside);
  if (reason) return reason;
  const resize = isShifted ? interpolateRegion : averageRegion;
  resize(picture, region, side, pixels);
  return toPlanes(pixels, RECIPES[family]);
}

function refusal(isEnlarged: boolean, inside: number): LivenessReason | undefined {
  if (isEnlarged) return 'TOO_SMALL';
  return inside < 1 - MAX_OUTSIDE ? 'CUT_OFF' : undefined;
}

function regionOf({ left, top, right, bottom }: BoundingBox): Region {
  return { left, top, width: right - left, height: bottom - top };
}

function toPlanes(pixels: Uint8Array, { channels, divisor }: Recipe): Float32Array<ArrayBuffer> {
  const plane = pixels.length / 3;
  const planes = new Float32Array(pixels.length);
  for (const [index, channel] of channels.entries()) {
    for (let i = 0; i < plane; i++) planes[index * plane + i] = (pixels[3 * i + channel] as number) / divisor;
  }
  return planes;
}

/**
 * The probability that a face is live.
 *
 * @param output a logit for each class, or the probability.
 * @throws {Error} when the output has another length than the family's, whatever the graph declares, or the probability is no number
 *   from 0 to 1.
 */
export function liveProbability(output: ArrayLike<number>, family: LivenessFamily): number {
  const { liveClass, outputs } = RECIPES[family];
  if (output.length !== outputs) {
    throw new Error(`The liveness network gives ${output.length} numbers, expected are ${outputs}.`);
  }
  const score = liveClass === undefined ? (output[0] as number) : softmax(output, liveClass);
  if (score >= 0 && score <= 1) return score;
  throw new Error(`The liveness network gives ${score}, which is no probability.`);
}

function softmax(logits: ArrayLike<number>, index: number): number {
  const values = Array.from(logits);
  const largest = Math.max(...values);
  const sum = values.reduce((total, value) => total + Math.exp(value - largest), 0);
  return Math.exp((values[index] as number) - largest) / sum;
}
