import { describe, expect, it } from 'vitest';
import { regionWithin, shareInside, squareRegion } from '../../../src/vision/liveness/regions.ts';

const picture = { width: 200, height: 160 };
const boxAt = (left: number, top: number, width: number, height: number) => ({
  left,
  top,
  right: left + width,
  bottom: top + height,
});

describe('the crop of MiniFASNet', () => {
  it('is the enlarged box about its centre', () => {
    expect(regionWithin(picture, boxAt(90, 70, 20, 30), 2.7)).toEqual({
      // 100 ± 27, 85 ± 40.5; the last pixel belongs to it.
      left: 73,
      top: 44,
      width: 55,
      height: 82,
    });
  });

  it.each([
    ['left', boxAt(2, 70, 20, 20), { left: 0, top: 53, width: 55, height: 55 }],
    ['right', boxAt(178, 70, 20, 20), { left: 145, top: 53, width: 55, height: 55 }],
    ['top', boxAt(90, 0, 20, 20), { left: 73, top: 0, width: 55, height: 55 }],
    ['bottom', boxAt(90, 145, 20, 20), { left: 73, top: 105, width: 55, height: 55 }],
  ])('is shifted into the picture at its %s', (_side, box, region) => {
    expect(regionWithin(picture, box, 2.7)).toEqual(region);
  });

  it('is as large as the picture allows, in the proportions of the box', () => {
    // 159 pixels are left for 80: 1.9875 boxes.
    expect(regionWithin(picture, boxAt(60, 40, 60, 80), 4)).toEqual({
      left: 30,
      top: 0,
      width: 120,
      height: 160,
    });
  });
});

describe('the crop of facenox', () => {
  it('is a square about the centre, of the longer side, and may reach beyond the picture', () => {
    expect(squareRegion(boxAt(10, 20, 40, 60), 1.5)).toEqual({ left: -15, top: 5, width: 90, height: 90 });
  });
});

describe('the share inside', () => {
  it.each([
    [{ left: 0, top: 0, width: 200, height: 160 }, 1],
    [{ left: -50, top: 0, width: 100, height: 100 }, 0.5],
    [{ left: 150, top: 110, width: 100, height: 100 }, 0.25],
    [{ left: 300, top: 0, width: 10, height: 10 }, 0],
  ])('of %o is %d', (region, share) => {
    expect(shareInside(region, picture)).toBe(share);
  });
});
