import { describe, expect, it } from 'vitest';
import { suppressOverlaps } from '../../../src/vision/detect/nms.ts';
import { SCRFD_OVERLAP } from '../../../src/vision/detect/scrfd/network.ts';

const box = (left: number, top: number, side = 99) => ({
  box: { left, top, right: left + side, bottom: top + side },
});

describe('non-maximum suppression', () => {
  it('keeps the better of two boxes that overlap, and both of two that do not', () => {
    const [best, near, far] = [box(0, 0), box(10, 10), box(300, 0)];
    expect(suppressOverlaps([best, near, far], 10, SCRFD_OVERLAP)).toEqual([best, far]);
  });

  it('drops a box above an overlap of 0.4', () => {
    // Two boxes of 100 pixels (99 + 1) a side, shifted by s: the overlap is (100 − s) / (100 + s).
    const best = box(0, 0);
    const above = box(42, 0);
    const below = box(43, 0);
    expect(suppressOverlaps([best, above], 10, SCRFD_OVERLAP)).toEqual([best]);
    expect(suppressOverlaps([best, below], 10, SCRFD_OVERLAP)).toEqual([best, below]);
  });

  it('compares a box with kept boxes only', () => {
    // a suppresses b; c overlaps only b, so it is kept.
    const [a, b, c] = [box(0, 0), box(30, 0), box(60, 0)];
    expect(suppressOverlaps([a, b, c], 10, SCRFD_OVERLAP)).toEqual([a, c]);
  });

  it('returns an empty list for no candidates', () => {
    expect(suppressOverlaps([], 10, SCRFD_OVERLAP)).toEqual([]);
  });

  it('keeps no more than the limit, and looks at no candidate after that', () => {
    const unread = Object.defineProperty(box(900, 0), 'box', {
      get() {
        throw new Error('read');
      },
    });
    const [a, b] = [box(0, 0), box(300, 0)];
    expect(suppressOverlaps([a, b, unread], 2, SCRFD_OVERLAP)).toEqual([a, b]);
  });
});
