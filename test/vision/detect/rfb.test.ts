import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { warpFace } from '../../../src/vision/align/alignment.ts';
import { highestScore, readCandidates } from '../../../src/vision/detect/rfb/candidates.ts';
import { RfbDetector } from '../../../src/vision/detect/rfb/detector.ts';
import { cropTransform, squareAround, writeGrey } from '../../../src/vision/detect/rfb/face-crop.ts';
import { fittedSize } from '../../../src/vision/detect/rfb/fit.ts';
import { fivePointsOf } from '../../../src/vision/detect/rfb/five-points.ts';
import { LandmarkFinder } from '../../../src/vision/detect/rfb/landmark-finder.ts';
import { faceShareAt, softenedScore } from '../../../src/vision/detect/rfb/scores.ts';
import { turnInput } from '../../../src/vision/detect/rfb/turn-input.ts';
import { rfbBoxes, rfbLandmarks, type StandInAnchor } from '../../support/packs/rfb-networks.ts';

const close = (values: ArrayLike<number>, expected: readonly number[], digits = 3) => {
  expect(values).toHaveLength(expected.length);
  for (const [index, value] of expected.entries()) expect(values[index]).toBeCloseTo(value, digits);
};

describe('the scores of RFB', () => {
  it('are softened around 0.5, which stays', () => {
    expect(softenedScore(0.5, 0.5)).toBe(0.5);
    // Odds of 16 become odds of 2.
    expect(softenedScore(1, 16)).toBeCloseTo(2 / 3, 6);
    expect(softenedScore(16, 1)).toBeCloseTo(1 / 3, 6);
    expect(softenedScore(0, 1)).toBe(1);
    expect(softenedScore(1, 0)).toBe(0);
  });

  it.each([0, 0.1, 0.5, 0.6, 0.9, 1])('reach the threshold %f from the share that says so', (threshold) => {
    const share = faceShareAt(threshold);
    expect(softenedScore(1 - share, share)).toBeCloseTo(threshold, 6);
  });
});

describe('the candidates of RFB', () => {
  const outputs = {
    scores: Float32Array.of(0.9, 0.1, 0.4, 0.6, 0.01, 0.99, 0.45, 0.55),
    boxes: Float32Array.of(0, 0, 1, 1, 0.5, 0.25, 0.75, 0.5, -0.1, 0, 0.2, 0.4, 0, 0, 0.1, 0.1),
  };

  it('are those whose scores reach the threshold, best first, in pixels of the picture', () => {
    const [first, second, ...others] = readCandidates(outputs, 0.52, { width: 1000, height: 800 }, 10);
    close(Object.values(first?.box ?? {}), [-100, 0, 200, 320]);
    close(Object.values(second?.box ?? {}), [500, 200, 750, 400]);
    expect(first?.score).toBeCloseTo(softenedScore(0.01, 0.99), 6);
    expect(others).toEqual([]);
  });

  it('are the best ones if there are more than the limit', () => {
    const found = readCandidates(outputs, 0, { width: 1, height: 1 }, 2);
    expect(found.map(({ score }) => score.toFixed(2))).toEqual(['0.76', '0.53']);
  });

  it('have a highest score', () => {
    expect(highestScore(outputs.scores)).toBeCloseTo(softenedScore(0.01, 0.99), 6);
  });
});

describe('a picture in the input of RFB', () => {
  it.each([
    ['of the same shape fills it', 1280, 960, 320, 240],
    ['that is square is stretched to fill it', 250, 250, 320, 240],
    ['that is upright is stretched by a third', 960, 1280, 240, 240],
    ['that is wide fills it', 1280, 720, 320, 240],
    ['that is very wide is stretched by a third', 1280, 320, 320, 107],
    ['of one row keeps it', 4000, 5, 320, 1],
  ])('%s', (_, width, height, fittedWidth, fittedHeight) => {
    expect(fittedSize({ width, height }, { width: 320, height: 240 })).toEqual({
      width: fittedWidth,
      height: fittedHeight,
    });
  });

  it('is turned clockwise', () => {
    // Two planes of 3 × 2 pixels.
    const input = Float32Array.of(1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16);
    const turned = new Float32Array(12);
    const expected = {
      90: [4, 1, 5, 2, 6, 3],
      180: [6, 5, 4, 3, 2, 1],
      270: [3, 6, 2, 5, 1, 4],
    };
    for (const turn of [90, 180, 270] as const) {
      turnInput({ input, width: 3, height: 2 }, turn, turned);
      expect([...turned]).toEqual([...expected[turn], ...expected[turn].map((value) => value + 10)]);
    }
  });
});

/** 68 points, of which those that decide the five landmarks have known places. */
function pointsWith(places: Record<number, [number, number]>): Float32Array {
  const points = new Float32Array(2 * 68).fill(0.9);
  for (const [index, place] of Object.entries(places)) points.set(place, 2 * Number(index));
  return points;
}

const POINTS = pointsWith({
  37: [0.2, 0.3],
  38: [0.3, 0.3],
  40: [0.3, 0.4],
  41: [0.2, 0.4],
  43: [0.6, 0.3],
  44: [0.7, 0.3],
  46: [0.7, 0.4],
  47: [0.6, 0.4],
  30: [0.5, 0.6],
  48: [0.3, 0.8],
  60: [0.34, 0.8],
  54: [0.7, 0.8],
  64: [0.66, 0.8],
});
const FIVE = [0.25, 0.35, 0.65, 0.35, 0.5, 0.6, 0.32, 0.8, 0.68, 0.8];

describe('five of 68 points', () => {
  it('are means of the lids, the tip of the nose and means of the lips', () => {
    close(fivePointsOf(POINTS), FIVE, 5);
  });
});

describe('the crop of a face', () => {
  it('is a square of the box’s mean side, wider by a twentieth on each side and by a tenth below', () => {
    const { left, top, side } = squareAround({ left: 100, top: 200, right: 180, bottom: 300 });
    const mean = Math.sqrt(80 * 100);
    close([left, top, side], [140 - 0.55 * mean, 250 - mean / 2, 1.1 * mean]);
  });

  it('has a size, however small the box is', () => {
    expect(squareAround({ left: 5, top: 5, right: 5, bottom: 5 }).side).toBeGreaterThan(1);
  });

  it('shows the square and nothing else, black outside of the picture, in grey', () => {
    // Columns of 100, 102, 104, … in red, nothing in green and blue.
    const picture = { width: 16, height: 16, data: new Uint8Array(16 * 16 * 3) };
    for (let i = 0; i < 256; i++) picture.data[3 * i] = 100 + 2 * (i % 16);
    const pixels = new Uint8Array(4 * 4 * 3);
    warpFace(picture, cropTransform({ left: 8, top: 0, side: 16 }, 4), 4, pixels);
    // Each pixel of the crop shows four; its centre is between their columns 9 and 10, 13 and 14, and then outside.
    const red = [...pixels].filter((_, index) => index % 3 === 0);
    expect(red.slice(4, 8)).toEqual([119, 127, 0, 0]);
    const grey = new Float32Array(16);
    writeGrey(pixels, { mean: 0, std: 256 }, grey);
    close(grey.subarray(4, 8), [Math.round(0.299 * 119) / 256, Math.round(0.299 * 127) / 256, 0, 0], 6);
  });
});

describe('a detector of two networks', () => {
  const picture = { width: 200, height: 150, data: new Uint8Array(200 * 150 * 3).fill(80) };

  async function detectorOf(anchors: readonly StandInAnchor[], points: Float32Array = POINTS) {
    const open = (bytes: Uint8Array<ArrayBuffer>) =>
      ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
    return new RfbDetector(await open(rfbBoxes(anchors)), {
      landmarks: new LandmarkFinder(await open(rfbLandmarks([...points])), { mean: 0, std: 256 }),
      input: { mean: 127, std: 128 },
    });
  }

  const LARGE: StandInAnchor = { share: 0.9, box: [0.25, 0.2, 0.75, 0.8] };
  const SAME: StandInAnchor = { share: 0.8, box: [0.27, 0.2, 0.77, 0.8] };
  const SMALL: StandInAnchor = { share: 0.99, box: [0.8, 0.8, 0.9, 0.9] };

  it('finds each face once, best first, with the landmarks in its square', async () => {
    const detector = await detectorOf([LARGE, SAME, SMALL]);
    const faces = await detector.detectFaces(picture, 0.5);
    expect(faces).toHaveLength(2);
    const [small, large] = faces;
    close(Object.values(small?.box ?? {}), [160, 120, 180, 135]);
    close(Object.values(large?.box ?? {}), [50, 30, 150, 120]);
    const { left, top, side } = squareAround({ left: 50, top: 30, right: 150, bottom: 120 });
    close(
      large?.landmarks ?? [],
      FIVE.map((share, index) => (index % 2 === 0 ? left : top) + share * side),
      2,
    );
  });

  it('looks for the landmarks of the chosen faces only, and returns no others', async () => {
    const detector = await detectorOf([LARGE, SMALL]);
    let offered = 0;
    const faces = await detector.detectFaces(picture, 0.5, {
      choose: (found) => {
        offered = found.length;
        return found.filter(({ box }) => box.right - box.left > 50);
      },
    });
    expect(offered).toBe(2);
    expect(faces).toHaveLength(1);
    expect(faces[0]?.landmarks).toHaveLength(10);
  });

  it('has a place in the picture for what lies beyond it in the input', async () => {
    // An upright picture covers 240 of 320 columns.
    const upright = { width: 150, height: 200, data: new Uint8Array(200 * 150 * 3) };
    const [face] = await (await detectorOf([LARGE])).detectFaces(upright, 0.5);
    close(Object.values(face?.box ?? {}), [50, 40, 150, 160]);
  });

  it('scores every turn of a picture', async () => {
    const scores = await (await detectorOf([LARGE])).scoreTurns(picture);
    close(scores, Array(3).fill(softenedScore(0.1, 0.9)), 5);
  });

  it('is refused at the first picture if its second network gives something else than 68 points', async () => {
    const detector = await detectorOf([], new Float32Array(10));
    await expect(detector.detectFaces(picture, 1)).rejects.toThrow('68 points');
    // The lock is free again.
    await expect(detector.detectFaces(picture, 1)).rejects.toThrow('68 points');
  });
});
