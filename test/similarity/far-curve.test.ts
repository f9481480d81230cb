import { describe, expect, it } from 'vitest';
import {
  FarCurve,
  rateOfOne,
  roundRate,
  searchInterval,
  searchRate,
} from '../../src/similarity/far-curve.ts';
import { FAR_POINTS } from '../support/far-points.ts';

const curve = new FarCurve(FAR_POINTS);

describe('the false accept rate at a similarity', () => {
  it('is that of a measured point at its score', () => {
    expect(curve.at(0.7)).toEqual({ estimate: 0.001, low: 0.0005, high: 0.002 });
    expect(curve.at(0.5)).toEqual({ estimate: 0.1, low: 0.09, high: 0.11 });
  });

  it('is interpolated in its logarithm between two points', () => {
    // Halfway: the geometric means, to four digits.
    expect(curve.at(0.65)).toEqual({ estimate: 0.003162, low: 0.002, high: 0.005099 });
  });

  it('has no estimate above the first measured one, and a limit that holds', () => {
    expect(curve.at(0.75)).toEqual({ high: 0.001414 });
    expect(curve.at(0.8)).toEqual({ high: 0.001 });
    expect(curve.at(1)).toEqual({ high: 0.001 });
    expect(curve.at(0.700001).estimate).toBeUndefined();
    expect(curve.lowest).toBe(0.001);
  });

  it('stays at the last point below it', () => {
    expect(curve.at(0.2)).toEqual({ estimate: 1, low: 0.99, high: 1 });
    expect(curve.at(0)).toEqual({ estimate: 1, low: 0.99, high: 1 });
  });

  it('never rises with the similarity, and lies within its interval', () => {
    let nearer = { estimate: 0, low: 0, high: 0 };
    for (let similarity = 0.9; similarity >= 0; similarity -= 0.001) {
      const { estimate = 0, low = 0, high } = curve.at(similarity);
      expect(low).toBeLessThanOrEqual(estimate);
      expect(estimate).toBeLessThanOrEqual(high);
      expect(estimate).toBeGreaterThanOrEqual(nearer.estimate);
      expect(low).toBeGreaterThanOrEqual(nearer.low);
      expect(high).toBeGreaterThanOrEqual(nearer.high);
      nearer = { estimate, low, high };
    }
  });

  it('is a number between rates as far apart as numbers can be', () => {
    const steep = new FarCurve([
      { score: 0.9, far: Number.MIN_VALUE, low: 0, high: 1 },
      { score: 0.5, far: 1, low: 1, high: 1 },
    ]);
    expect(steep.at(0.9).estimate).toBeLessThan(1e-300);
    expect(steep.at(0.6).estimate).toBeGreaterThan(0);
    expect(steep.at(0.6).estimate).toBeLessThan(1e-50);
  });

  it('is interpolated from a lower end of 0', () => {
    const rough = new FarCurve([
      { score: 0.7, far: 0.001, low: 0, high: 0.01 },
      { score: 0.6, far: 0.01, low: 0.004, high: 0.02 },
    ]);
    expect(rough.at(0.65).low).toBe(0.002);
  });
});

describe('rates', () => {
  it.each([
    [0.00012345678, 0.0001235],
    [0.99999, 1],
    [0.0999996, 0.1],
    [1.5, 1],
    [0, 0],
    [1e-9, 1e-9],
  ])('of %f are rounded to four digits: %f', (rate, rounded) => {
    expect(roundRate(rate)).toBe(rounded);
  });

  it('of a search grow with the number of people, 1 − (1 − far)^n, also where it is close to n · far', () => {
    expect(searchRate(0.001, 1_000)).toBeCloseTo(1 - 0.999 ** 1_000, 12);
    expect(searchRate(1e-12, 100)).toBeCloseTo(1e-10, 20);
    expect(searchRate(0.3, 1)).toBeCloseTo(0.3, 12);
    expect(searchRate(1, 5)).toBe(1);
    expect(rateOfOne(searchRate(0.0002, 120), 120)).toBeCloseTo(0.0002, 12);
    expect(rateOfOne(1, 3)).toBe(1);
    expect(searchInterval({ estimate: 0.001, low: 0.0005, high: 0.002 }, 100)).toEqual({
      estimate: 0.09521,
      low: 0.04878,
      high: 0.1814,
    });
    expect(searchInterval({ high: 0.001 }, 10)).toEqual({ high: 0.009955 });
  });
});
