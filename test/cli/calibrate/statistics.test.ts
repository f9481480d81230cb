import { describe, expect, it } from 'vitest';
import { bootstrapOverPeople } from '../../../src/cli/calibrate/statistics/bootstrap.ts';
import { evidenceFor, lowestRate } from '../../../src/cli/calibrate/statistics/evidence.ts';
import { histogramOf } from '../../../src/cli/calibrate/statistics/histogram.ts';
import { type Interval, wilsonInterval } from '../../../src/cli/calibrate/statistics/intervals.ts';
import {
  bestAccuracy,
  equalErrorRate,
  ratesAt,
  rocPoints,
  thresholdAtFar,
  thresholdsOfMetrics,
} from '../../../src/cli/calibrate/statistics/operating-points.ts';
import { probit } from '../../../src/cli/calibrate/statistics/probit.ts';
import { errorVersusDiscard } from '../../../src/cli/calibrate/statistics/quality.ts';
import { cosineDistance, type Scores, sortScores } from '../../../src/cli/calibrate/statistics/scores.ts';

/** The value, which the test requires. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('The value is undefined.');
  return value;
}

const scored = (genuine: number[], impostor: number[]): Scores => ({
  genuine: Float64Array.from(genuine).sort(),
  impostor: Float64Array.from(impostor).sort(),
});

describe('the Wilson interval', () => {
  // Source: R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998),
  // table I, method 3 (score without continuity correction).
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %i in %i equals the published one', (successes, trials, low, high) => {
    const interval = wilsonInterval(successes, trials);
    expect(interval[0]).toBeCloseTo(low, 4);
    expect(interval[1]).toBeCloseTo(high, 4);
  });

  it('of all mirrors that of none', () => {
    expect(wilsonInterval(20, 20)).toEqual([expect.closeTo(0.8389, 4), 1]);
  });
});

describe('the evidence for a FAR', () => {
  it.each([
    [0.1, 29, undefined],
    [0.1, 30, 'rule_of_3'],
    [0.1, 299, 'rule_of_3'],
    [0.1, 300, 'rule_of_30'],
    [0.01, 299, undefined],
    [0.0001, 30_000, 'rule_of_3'],
    [0.0001, 300_000, 'rule_of_30'],
  ])('of %f with %i impostor pairs: %s', (far, pairs, rule) => {
    expect(evidenceFor(far, pairs).rule).toBe(rule);
  });

  it('tells how many impostor pairs are needed', () => {
    expect(evidenceFor(0.001, 150)).toMatchObject({ needed: 3_000, firm: 30_000 });
    expect(lowestRate(150)).toBeCloseTo(0.02);
  });
});

describe('the threshold at a FAR', () => {
  // Ten impostors, 0.5 and 0.6 twice.
  const scores = scored([0.1, 0.2, 0.3, 0.55, 0.58], [0.5, 0.5, 0.6, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2]);

  it.each([
    // Only genuine pairs are below the first impostor.
    [0, 0.3, 0.5, 0, 3],
    // One impostor may be accepted, but two are tied: neither is.
    [0.1, 0.3, 0.5, 0, 3],
    // Both are accepted, and every pair up to the next impostor.
    [0.2, 0.58, 0.6, 2, 5],
    [0.3, 0.58, 0.6, 2, 5],
    [0.4, 0.6, 0.7, 4, 5],
  ])('of %f accepts ties together or not at all', (far, low, high, falseAccepts, trueAccepts) => {
    expect(thresholdAtFar(scores, far)).toEqual({ low, high });
    const rates = ratesAt(scores, low);
    expect(rates.far).toMatchObject({ count: falseAccepts, of: 10 });
    expect(rates.tar).toMatchObject({ count: trueAccepts, of: 5, rate: trueAccepts / 5 });
  });

  it('is undefined if the nearest pairs of all are impostors', () => {
    expect(thresholdAtFar(scored([0.2], [0.1, 0.3]), 0.4)).toBeUndefined();
  });

  it('has the fewest decimals that decide every measured pair alike, in each metric', () => {
    const { cosine, euclidean, similarity } = thresholdsOfMetrics({ low: 0.58, high: 0.6 });
    expect(cosine).toBe(0.58);
    // √(2 · 0.58) = 1.07703…, √(2 · 0.6) = 1.09544…: rounded away from the accepted pairs.
    expect(euclidean).toBe(1.0771);
    expect(similarity).toBe(0.71);
    const close = thresholdsOfMetrics({ low: 0.123456781, high: 0.123456789 });
    expect(close.cosine).toBe(0.123456781);
    expect(close.cosine).toBeLessThan(0.123456789);
  });
});

describe('the summary figures', () => {
  const scores = scored([0.1, 0.2, 0.3, 0.9], [0.25, 0.6, 0.7, 0.8]);

  it('give the equal error rate: one of four wrong on both sides', () => {
    expect(equalErrorRate(scores)).toEqual({ rate: 0.25, low: 0.3, high: 0.6 });
    expect(ratesAt(scores, 0.3)).toMatchObject({ far: { count: 1 }, tar: { count: 3 } });
  });

  it('give the best accuracy: six of eight', () => {
    expect(bestAccuracy(scores)).toMatchObject({ accuracy: 0.75, low: 0.2, high: 0.25 });
  });

  it('are perfect if the classes do not overlap, at the most distant genuine pair', () => {
    const apart = scored([0.1, 0.2], [0.6, 0.7]);
    expect(equalErrorRate(apart)).toMatchObject({ rate: 0, low: 0.2, high: 0.6 });
    expect(bestAccuracy(apart)).toMatchObject({ accuracy: 1, low: 0.2, high: 0.6 });
  });

  it('trace the ROC from nothing accepted to everything accepted, a point for each distance', () => {
    expect(rocPoints(scored([0.1, 0.5], [0.5, 0.9])).map(({ far, tar }) => [far, tar])).toEqual([
      [0, 0],
      [0, 0.5],
      [0.5, 1],
      [1, 1],
    ]);
  });
});

describe('distances', () => {
  it('are one minus the cosine of unit vectors', () => {
    const distance = (a: number[], b: number[]) => cosineDistance(Float64Array.from(a), Float64Array.from(b));
    expect(distance([1, 0], [0, 1])).toBe(1);
    expect(distance([0.6, 0.8], [0.6, 0.8])).toBe(0);
    expect(distance([1, 0], [-1, 0])).toBe(2);
    expect(distance([0.6, 0.8], [1, 0])).toBeCloseTo(0.4, 12);
  });

  it('are separated by class and sorted', () => {
    const pairs = [
      { distance: 0.9, same: false },
      { distance: 0.4, same: true },
      { distance: 0.2, same: true },
    ];
    expect(sortScores(pairs)).toEqual(scored([0.2, 0.4], [0.9]));
  });
});

describe('the bootstrap over people', () => {
  const people = 40;
  // Person p's genuine distance is 0.2 + p/200; impostor distances are spread from 0.6 on.
  const pairs = Array.from({ length: people }, (_, p) => [
    { distance: 0.2 + p / 200, same: true, personA: p, personB: p },
    ...Array.from({ length: p }, (_, q) => ({
      distance: 0.6 + ((p * 31 + q * 17) % 97) / 200,
      same: false,
      personA: p,
      personB: q,
    })),
  ]).flat();

  it('encloses the threshold of the whole sample, and repeats for the same seed', () => {
    const intervals = bootstrapOverPeople(pairs, people, [0.01, 0.1], 7);
    const { low } = present(thresholdAtFar(sortScores(pairs), 0.1));
    const [at1, at10] = present(intervals).map(({ threshold }) => threshold) as [Interval, Interval];
    expect(at10[0]).toBeLessThanOrEqual(low);
    expect(at10[1]).toBeGreaterThanOrEqual(low);
    expect(at10[0]).toBeLessThan(at10[1]);
    expect(at1[1]).toBeLessThanOrEqual(at10[1]);
    expect(intervals?.[1]?.tar).toEqual([1, 1]);
    expect(bootstrapOverPeople(pairs, people, [0.01, 0.1], 7)).toEqual(intervals);
  });

  it('is skipped with few people', () => {
    expect(bootstrapOverPeople(pairs, 19, [0.1], 7)).toBeUndefined();
  });
});

describe('error versus discard', () => {
  // 100 genuine pairs, of which the five most distant are rejected before any is discarded.
  const pairs = (qualityOf: (index: number) => number) =>
    Array.from({ length: 100 }, (_, i) => ({ distance: i / 100, quality: qualityOf(i) }));

  it('falls to zero at once if the rejected pairs are the poorest', () => {
    const curve = present(errorVersusDiscard(pairs((i) => 100 - i)));
    expect(curve.rejects).toBe(5);
    expect(curve.threshold).toBe(0.94);
    const at = (discarded: number) => curve.points[discarded]?.frr;
    expect([at(0), at(1), at(5), at(50)]).toEqual([0.05, 4 / 99, 0, 0]);
    expect(curve.area).toBeCloseTo(curve.idealArea, 12);
  });

  it('rises if they are the best', () => {
    const curve = present(errorVersusDiscard(pairs((i) => i)));
    expect(curve.points[50]?.frr).toBe(0.1);
    expect(curve.area).toBeGreaterThan(curve.flatArea);
  });

  it('is undefined with too few pairs', () => {
    expect(errorVersusDiscard(pairs((i) => i).slice(0, 59))).toBeUndefined();
  });
});

it('normal deviates equal the published ones', () => {
  expect(probit(0.5)).toBeCloseTo(0, 3);
  expect(probit(0.025)).toBeCloseTo(-1.96, 3);
  expect(probit(0.999)).toBeCloseTo(3.0902, 3);
});

it('a histogram counts every pair in a bin', () => {
  const { width, genuine, impostor } = histogramOf(scored([0, 0.1, 0.2], [0.5, 1]));
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  expect(genuine).toHaveLength(20);
  expect(width).toBeCloseTo(0.05);
  expect([sum(genuine), sum(impostor)]).toEqual([expect.closeTo(1), expect.closeTo(1)]);
  expect(impostor[19]).toBe(0.5);
});
