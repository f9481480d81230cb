import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { warpForLiveness } from '../../../src/vision/liveness/aligned-crop.ts';
import { averageRegion, interpolateRegion } from '../../../src/vision/liveness/resize.ts';

/** A picture whose levels rise by `across` to the right and by `down` downwards; red, green and blue differ. */
function ramp(width: number, height: number, across: number, down: number) {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++, i++) data[i] = x * across + y * down + c;
  }
  return { data, width, height };
}

const square = (size: number) => new Uint8Array(size * size * 3);

describe('interpolation', () => {
  it('of a ramp is the ramp at the centres of the pixels', () => {
    const out = square(4);
    interpolateRegion(ramp(40, 40, 2, 1), { left: 4, top: 8, width: 8, height: 16 }, 4, out);
    for (let y = 0, i = 0; y < 4; y++) {
      for (let x = 0; x < 4; x++) {
        for (let c = 0; c < 3; c++, i++) {
          const level = 2 * (4 + 2 * x + 0.5) + (8 + 4 * y + 1.5) + c;
          expect(Math.abs((out[i] as number) - level)).toBeLessThanOrEqual(0.51);
        }
      }
    }
  });

  it('leaves a region of the same size as it is', () => {
    const picture = ramp(20, 20, 3, 5);
    const out = square(6);
    interpolateRegion(picture, { left: 3, top: 2, width: 6, height: 6 }, 6, out);
    expect([...out.subarray(0, 18)]).toEqual([...picture.data.subarray((2 * 20 + 3) * 3).subarray(0, 18)]);
  });
});

describe('the mean of areas', () => {
  it('is that of a box filter', async () => {
    const random = Buffer.from(Array.from({ length: 96 * 96 * 3 }, (_, i) => (i * 7919) % 251));
    const out = square(32);
    averageRegion(
      { data: random, width: 96, height: 96 },
      { left: 0, top: 0, width: 96, height: 96 },
      32,
      out,
    );
    for (const [x, y, c] of [
      [0, 0, 0],
      [31, 31, 2],
      [10, 20, 1],
    ] as const) {
      let sum = 0;
      for (let dy = 0; dy < 3; dy++)
        for (let dx = 0; dx < 3; dx++) sum += random[((3 * y + dy) * 96 + 3 * x + dx) * 3 + c] as number;
      expect(out[(y * 32 + x) * 3 + c]).toBe(Math.round(sum / 9));
    }
  });

  it('keeps the mean where sizes do not divide', async () => {
    const picture = ramp(50, 50, 1, 3);
    const out = square(7);
    averageRegion(picture, { left: 0, top: 0, width: 50, height: 50 }, 7, out);
    const { channels } = await sharp(out, { raw: { width: 7, height: 7, channels: 3 } }).stats();
    expect(Math.abs((channels[0]?.mean ?? 0) - 49.5 - 48.5)).toBeLessThan(0.5);
  });

  it('mirrors the picture beyond its edges, without repeating them', () => {
    const picture = ramp(8, 8, 10, 0);
    const out = square(12);
    averageRegion(picture, { left: -2, top: -2, width: 12, height: 12 }, 12, out);
    const reds = Array.from({ length: 12 }, (_, x) => out[3 * x]);
    expect(reds).toEqual([20, 10, 0, 10, 20, 30, 40, 50, 60, 70, 60, 50]);
  });
});

describe("the warp onto InsightFace's template", () => {
  const template = Float32Array.of(32.03, 38.06, 47.89, 37.98, 40.01, 47.08, 33.5, 56.36, 46.63, 56.29);
  const moved = (scale: number, x: number, y: number) =>
    template.map((value, i) => value * scale + (i % 2 === 0 ? x : y));

  it('copies a face that is there already', () => {
    const picture = ramp(80, 80, 1, 2);
    const out = square(80);
    const { inside, reduction } = warpForLiveness(picture, template, 80, out);
    expect(inside).toBeCloseTo(1, 3);
    expect(reduction).toBeCloseTo(1, 5);
    expect(out.every((level, i) => Math.abs(level - (picture.data[i] as number)) <= 1)).toBe(true);
  });

  it('tells how much of it is outside, where it repeats the edge', () => {
    const picture = ramp(200, 200, 1, 0);
    const out = square(80);
    // From −40 to 120 across, from 20 to 180 down: a quarter is outside.
    const { inside, reduction } = warpForLiveness(picture, moved(2, -40, 20), 80, out);
    expect(inside).toBeCloseTo(0.75, 2);
    expect(reduction).toBeCloseTo(2, 4);
    expect([out[0], out[3 * 10], out[3 * 40]]).toEqual([0, 0, 40]);
  });
});
