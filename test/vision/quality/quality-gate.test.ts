import { describe, expect, it } from 'vitest';
import { findLowQuality } from '../../../src/vision/quality/quality-gate.ts';

const GOOD = {
  brightness: 0.5,
  contrast: 0.2,
  sharpness: 0.8,
  size: 100,
  pose: { roll: 0, yaw: 0, pitch: 0 },
  margin: 1,
  score: 0.3,
};
const refuse = (
  worse: Partial<typeof GOOD>,
  limits: Parameters<typeof findLowQuality>[1] = { minQuality: 0.5 },
) => findLowQuality({ ...GOOD, ...worse }, limits);

describe('a refusal for a low score', () => {
  it.each([
    ['too dark', { brightness: 0.08, contrast: 0.03 }],
    ['too bright', { brightness: 0.8 }],
    ['low contrast', { contrast: 0.04, sharpness: 0.2 }],
    ['too blurred', { sharpness: 0.05 }],
    ['come closer', { size: 20 }],
    ['turn to the camera', { pose: { roll: 0, yaw: -45, pitch: 0 } }],
    ['turn to the camera', { pose: { roll: 80, yaw: 25, pitch: 25 } }],
    ['face cut off', { margin: 0.6 }],
    ['face hard to recognise', {}],
    // Alignment corrects roll.
    ['face hard to recognise', { pose: { roll: 80, yaw: 0, pitch: 0 } }],
  ])('names only "%s" for %j', (reason, worse) => {
    expect(refuse(worse)).toEqual([reason]);
  });

  it('names all reasons, worst first', () => {
    expect(refuse({ margin: 0.75, brightness: 0.05, contrast: 0.02, size: 25 })).toEqual([
      'too dark',
      'come closer',
      'face cut off',
    ]);
    expect(refuse({ margin: 0.55, brightness: 0.14, contrast: 0.05 })).toEqual(['face cut off', 'too dark']);
  });

  it('depends on the score only: low measures alone never refuse', () => {
    expect(refuse({ margin: 0.2, score: 0.5 })).toEqual([]);
    expect(refuse({ margin: 0.2, score: 0.1 }, {})).toEqual([]);
  });

  it('names reasons for a picture of nothing', () => {
    const nothing = { brightness: 0, contrast: 0, sharpness: 0, margin: 0 };
    expect(refuse(nothing)).toEqual(expect.arrayContaining(['too dark', 'too blurred', 'face cut off']));
  });
});

describe('a refusal for a small face', () => {
  it('applies below the limit, with the reason "come closer"', () => {
    expect(refuse({}, { minFaceSize: 101 })).toEqual(['come closer']);
    expect(refuse({}, { minFaceSize: 100 })).toEqual([]);
  });

  it('names no other reason unless minQuality is set too', () => {
    const dark = { brightness: 0.05, contrast: 0.02 };
    expect(refuse(dark, { minFaceSize: 200 })).toEqual(['come closer']);
    expect(refuse(dark, { minFaceSize: 200, minQuality: 0 })).toEqual(['come closer', 'too dark']);
  });

  it('does not need a score', () => {
    const { score: _, ...measured } = GOOD;
    expect(findLowQuality(measured, { minFaceSize: 200, minQuality: 0.9 })).toEqual(['come closer']);
    expect(findLowQuality(measured, { minQuality: 0.9 })).toEqual([]);
  });
});
