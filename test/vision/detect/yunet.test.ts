import { describe, expect, it } from 'vitest';
import { YunetMap, yunetScores } from '../../../src/vision/detect/yunet/feature-map.ts';

/** A feature map of 3 × 2 cells of 16 pixels, in which cell 4 (row 1, column 1) has a face. */
function mapOf(scale: number): YunetMap {
  const outputs = {
    cls: new Float32Array(6),
    obj: new Float32Array(6),
    bbox: new Float32Array(6 * 4),
    kps: new Float32Array(6 * 10),
  };
  outputs.cls[4] = 0.81;
  outputs.obj[4] = 0.25;
  outputs.bbox.set([0.5, -0.25, Math.log(2), Math.log(4)], 4 * 4);
  outputs.kps.set([-0.5, 0, 1.5, 0, 0.5, 1, 0, 2, 1, 2], 4 * 10);
  return new YunetMap(outputs, { stride: 16, columns: 3, scale });
}

describe('a feature map of YuNet', () => {
  it('has the geometric mean of both scores, each limited to 0..1', () => {
    const scores = yunetScores({
      cls: Float32Array.of(0.81, 1.5, -0.5, 0),
      obj: Float32Array.of(0.25, 0.25, 1, 1),
    });
    expect([...scores].map((score) => score.toFixed(6))).toEqual([
      '0.450000',
      '0.500000',
      '0.000000',
      '0.000000',
    ]);
    expect(mapOf(1).scores[4]).toBeCloseTo(0.45, 6);
  });

  it.each([1, 0.5, 2])('has boxes and landmarks in pixels of the picture, at a scale of %f', (scale) => {
    const map = mapOf(scale);
    // Centre ((1 + 0.5) · 16, (1 − 0.25) · 16) = (24, 12), size 32 × 64.
    const { left, top, right, bottom } = map.boxOf(4);
    for (const [edge, expected] of [
      [left, 8],
      [top, -20],
      [right, 40],
      [bottom, 44],
    ] as const)
      expect(edge).toBeCloseTo(expected / scale, 4);
    const landmarks = [8, 16, 40, 16, 24, 32, 16, 48, 32, 48].map((value) => value / scale);
    expect([...map.landmarksOf(4)]).toEqual(landmarks);
  });
});
