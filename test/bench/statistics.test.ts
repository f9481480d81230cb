import { describe, expect, it } from 'vitest';
import {
  cosine,
  median,
  percentile,
  ratiosOfPairs,
  summarise,
  summariseLatencies,
} from '../../bench/statistics.ts';

describe('percentiles', () => {
  it('are measured values (nearest rank) and do not depend on the order', () => {
    const values = [30, 10, 50, 20, 40];
    expect(percentile(values, 50)).toBe(30);
    expect(percentile(values, 95)).toBe(50);
    expect(percentile(values, 20)).toBe(10);
    expect(percentile(values, 21)).toBe(20);
    expect(values).toEqual([30, 10, 50, 20, 40]);
  });

  it('sort by value, not as strings', () => {
    expect(percentile([9, 10, 100], 100)).toBe(100);
    expect(median([9, 10, 100])).toBe(10);
  });

  it('are undefined when too few values were measured', () => {
    expect(percentile([], 50)).toBeUndefined();
    expect(median([])).toBeUndefined();
    expect(summarise([])).toBeUndefined();
    expect(summariseLatencies(Array(19).fill(1))).toMatchObject({ count: 19, p50: 1, p95: undefined });
    expect(summariseLatencies(Array(99).fill(1))).toMatchObject({ p95: 1, p99: undefined });
    expect(summariseLatencies(Array(100).fill(1))).toMatchObject({ p99: 1 });
  });

  it('the median of an even count is the mean of the middle two', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
});

describe('ratios', () => {
  it('are formed pair by pair, so that a slow moment cancels out', () => {
    expect(ratiosOfPairs([10, 100], [5, 50])).toEqual([2, 2]);
  });

  it('leave out pairs with a missing value', () => {
    expect(ratiosOfPairs([1, 2, 3], [1, 0])).toEqual([1]);
    expect(ratiosOfPairs([1, undefined], [1, 1])).toEqual([1]);
  });
});

it('the cosine does not depend on the length of the vectors', () => {
  expect(cosine([1, 2], [2, 4])).toBeCloseTo(1, 12);
  expect(cosine([1, 0], [0, 3])).toBe(0);
});
