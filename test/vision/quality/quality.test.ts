import { describe, expect, it } from 'vitest';
import { measureQuality } from '../../../src/vision/quality/quality.ts';

const SIDE = 112;
const UNMOVED = { a: 1, b: 0, tx: 0, ty: 0 };
const FACE = {
  box: { left: 10, top: 20, right: 60, bottom: 100 },
  landmarks: Float32Array.of(38, 51, 74, 51, 56, 72, 42, 92, 70, 92),
};

/** An aligned face of grey levels by column and row. */
function greyFace(level: (x: number, y: number) => number, side = SIDE) {
  const pixels = new Uint8Array(side * side * 3);
  for (let i = 0; i < side * side; i++) pixels.fill(level(i % side, Math.floor(i / side)), i * 3, i * 3 + 3);
  return pixels;
}

function measure(pixels: Uint8Array, transform = UNMOVED, face = FACE) {
  const size = Math.sqrt(pixels.length / 3);
  const whole = { width: SIDE, height: SIDE };
  return measureQuality({ pixels, size, transform }, face, { ...whole, original: whole });
}

describe('brightness and contrast', () => {
  it('are the grey level and zero for a uniform picture', () => {
    expect(measure(greyFace(() => 100))).toMatchObject({
      brightness: 100 / 255,
      contrast: 0,
      sharpness: 0,
      margin: 1,
    });
  });

  it('are one half each for a picture half black and half white', () => {
    const { brightness, contrast } = measure(greyFace((x) => (x < SIDE / 2 ? 0 : 255)));
    expect(brightness).toBeCloseTo(0.5, 12);
    expect(contrast).toBeCloseTo(0.5, 12);
  });

  it('halve when all levels are halved', () => {
    const level = (x: number, y: number) => 2 * ((x * 7 + y * 13) % 120);
    const bright = measure(greyFace(level));
    const dark = measure(greyFace((x, y) => level(x, y) / 2));
    expect(dark.brightness).toBeCloseTo(bright.brightness / 2, 12);
    expect(dark.contrast).toBeCloseTo(bright.contrast / 2, 12);
  });

  it.each([
    ['red', 0, 0.299],
    ['green', 1, 0.587],
    ['blue', 2, 0.114],
  ])('weigh %s as Rec. 601 does', (_name, channel, weight) => {
    const pixels = greyFace(() => 0).map((_, i) => (i % 3 === channel ? 255 : 0));
    expect(measure(pixels).brightness).toBe(Math.round(weight * 255) / 255);
  });
});

describe('sharpness', () => {
  // The Laplacian of a vertical edge is plus and minus its step in the two columns beside it, and 0 elsewhere. Of the
  // 110 columns that have neighbours, 2 count: a variance of 2 · step² / 110.
  const edge = (step: number) => 1 - Math.exp(-(2 * step ** 2) / 110 / 100);

  it('of a vertical edge equals the value calculated by hand', () => {
    expect(measure(greyFace((x) => (x < 56 ? 100 : 140))).sharpness).toBeCloseTo(edge(40), 12);
    expect(edge(40)).toBeCloseTo(0.2524, 4);
  });

  it('of the edge blurred over four pixels equals that of a quarter of its step', () => {
    // The mean of four neighbours turns the step of 40 into four of 10, which is curved at its two ends only.
    const ramp = greyFace((x) => 100 + 10 * Math.min(4, Math.max(0, x - 54)));
    expect(measure(ramp).sharpness).toBeCloseTo(edge(10), 12);
  });

  it('is the same for a horizontal edge', () => {
    expect(measure(greyFace((_, y) => (y < 56 ? 100 : 140))).sharpness).toBeCloseTo(edge(40), 12);
  });

  it('does not depend on the size of the crop, except for its number of columns', () => {
    const { sharpness } = measure(
      greyFace((x) => (x < 64 ? 100 : 140), 128),
      { ...UNMOVED, a: 128 / 112 },
    );
    expect(sharpness).toBeCloseTo(1 - Math.exp(-(2 * 40 ** 2) / 126 / 100), 12);
  });
});

describe('margin', () => {
  it.each([
    ['half of the face to the left', { ...UNMOVED, tx: 56 }, 0.5],
    ['a quarter of the face in a corner', { ...UNMOVED, tx: -56, ty: 56 }, 0.25],
    ['outside', { ...UNMOVED, tx: 1000 }, 0],
    // At twice its size the picture fills the crop; at half of it, a quarter of the crop.
    ['completely inside', { ...UNMOVED, a: 2 }, 1],
    ['larger than the picture', { ...UNMOVED, a: 0.5 }, 0.25],
    // A diamond of half the area.
    ['larger than the picture, rotated by 45°', { a: 0.5, b: 0.5, tx: 56, ty: 0 }, 0.5],
  ])('is the share of the face inside the picture: %s', (_name, transform, share) => {
    const { margin } = measure(
      greyFace(() => 0),
      transform,
    );
    // Rows and columns exactly on the edge may or may not count.
    expect(Math.abs(margin - share)).toBeLessThan(0.01);
  });

  it('is exact for whole pixels', () => {
    expect(
      measure(
        greyFace(() => 0),
        { ...UNMOVED, tx: 56 },
      ).margin,
    ).toBe(0.5);
  });

  it('is the only measure that the black pixels outside the picture affect', () => {
    const half = greyFace((x) => (x < 56 ? 0 : 200));
    expect(measure(half, { ...UNMOVED, tx: 56 })).toMatchObject({
      brightness: 200 / 255,
      contrast: 0,
      sharpness: 0,
    });
  });

  it('of 0 leaves the other measures finite', () => {
    const nothing = measure(
      greyFace(() => 0),
      { ...UNMOVED, tx: 1000 },
    );
    expect(nothing).toMatchObject({ brightness: 0, contrast: 0, sharpness: 0, margin: 0 });
  });
});

it('the size is the shorter side of the box', () => {
  expect(measure(greyFace(() => 0)).size).toBe(50);
  const wide = { ...FACE, box: { left: -5, top: 0, right: 40, bottom: 30 } };
  expect(
    measure(
      greyFace(() => 0),
      UNMOVED,
      wide,
    ).size,
  ).toBe(30);
});
