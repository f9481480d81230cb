import { describe, expect, it } from 'vitest';
import { DyadCounts } from '../../../src/cli/calibrate/statistics/dyads.ts';
import { measureFarCurve } from '../../../src/cli/calibrate/statistics/far-curve.ts';
import { ratesOfGroups } from '../../../src/cli/calibrate/statistics/groups.ts';
import { differ, predictionInterval } from '../../../src/cli/calibrate/statistics/intervals.ts';
import { drawSearches, fnirOf, fpirOf } from '../../../src/cli/calibrate/statistics/search.ts';
import { seededRandom } from '../../../src/cli/calibrate/statistics/seeded-random.ts';

const impostor = (personA: number, personB: number, distance = 1) => ({
  personA,
  personB,
  distance,
  same: false,
});

/** All pairs of people, once each. */
const allPairs = (people: number, distanceOf: (a: number, b: number) => number) =>
  Array.from({ length: people }, (_, a) =>
    Array.from({ length: a }, (_, b) => impostor(a, b, distanceOf(a, b))),
  ).flat();

describe('errors among pairs that share people', () => {
  it('count as they are if no two pairs share a person', () => {
    const pairs = Array.from({ length: 100 }, (_, i) => impostor(2 * i, 2 * i + 1));
    const counts = new DyadCounts(pairs, 200);
    for (const pair of pairs.slice(0, 10)) counts.addError(pair);
    expect(counts.rate).toBe(0.1);
    // But for the correction for a known mean, 199/200.
    expect(counts.effectiveTrials).toBeCloseTo(99.5, 6);
  });

  it('count for less if they are of one person', () => {
    const pairs = allPairs(40, () => 1);
    const spread = new DyadCounts(pairs, 40);
    const crowded = new DyadCounts(pairs, 40);
    for (let i = 0; i < 12; i++)
      spread.addError(pairs.find((p) => p.personA === 2 * i + 1 && p.personB === 2 * i) as never);
    for (const pair of pairs.filter((p) => p.personA === 12)) crowded.addError(pair);
    expect(crowded.errors).toBe(spread.errors);
    expect(spread.effectiveTrials).toBeGreaterThan(600);
    // Σ over people (errors − rate · trials)² is about 12² + 12 · 1², less 12 of the pairs: twelve times that of the pairs.
    expect(crowded.effectiveTrials).toBeLessThan(100);
  });

  it('count once for a genuine pair, of several of one person', () => {
    const pairs = Array.from({ length: 20 }, (_, i) => ({ ...impostor(i >> 1, i >> 1), same: true }));
    const counts = new DyadCounts(pairs, 10);
    // Both pairs of each of two people.
    for (const pair of pairs.slice(0, 4)) counts.addError(pair);
    expect(counts.rate).toBe(0.2);
    // As many as people, with the correction.
    expect(counts.effectiveTrials).toBeCloseTo(9, 6);
  });
});

describe('the interval of what another sample shows', () => {
  it('is wider than that of the mean, and contains the share', () => {
    const [low, high] = predictionInterval(0.01, 10_000);
    // The standard deviation of a difference of two shares of 1 % is 0.0014.
    expect(low).toBeCloseTo(0.01 - 1.96 * 0.0014, 3);
    expect(high).toBeCloseTo(0.01 + 1.96 * 0.0014, 3);
  });

  it('has a limit without an error, and ends at 0 and 1', () => {
    const [low, high] = predictionInterval(0, 1_000);
    expect(low).toBe(0);
    // z² / n.
    expect(high).toBeCloseTo(0.00383, 5);
    expect(predictionInterval(1, 1_000)[1]).toBe(1);
  });

  it('tells shares apart only beyond chance', () => {
    expect(differ({ successes: 50, trials: 1_000 }, { successes: 100, trials: 1_000 }, 1.96)).toBe(true);
    expect(differ({ successes: 5, trials: 100 }, { successes: 10, trials: 100 }, 1.96)).toBe(false);
    expect(differ({ successes: 0, trials: 10 }, { successes: 0, trials: 1_000 }, 1.96)).toBe(false);
  });
});

describe('the measured curve', () => {
  const people = 80;
  // Distances from 0.4 on, evenly spread over the pairs.
  const pairs = allPairs(people, (a, b) => 0.4 + ((a * 7919 + b * 104729) % 3_163) / 3_163);
  const genuine = Array.from({ length: people }, (_, p) => ({ ...impostor(p, p, 0.1), same: true }));
  const curve = measureFarCurve([...genuine, ...pairs], people, [0.1, 0.01]);

  it('has the shares of impostor pairs at its scores', () => {
    expect(curve?.length).toBeGreaterThan(80);
    expect(curve?.length).toBeLessThan(200);
    for (const { score, far, low = 0, high } of curve ?? []) {
      const share = pairs.filter(({ distance }) => 1 - distance / 2 >= score).length / pairs.length;
      expect(far ?? share).toBeCloseTo(share, 6);
      expect(low).toBeLessThanOrEqual(share);
      expect(high).toBeGreaterThanOrEqual(share);
    }
    expect(curve?.at(-1)?.far).toBe(1);
  });

  it('has a point at each target, with its rate or less', () => {
    const share = Math.floor(0.01 * pairs.length) / pairs.length;
    expect(curve?.some(({ far }) => Math.abs((far ?? 0) - share) < 1e-5)).toBe(true);
  });

  it('says only a limit where fewer than three pairs are accepted', () => {
    const [first, ...rest] = curve ?? [];
    expect(first?.far).toBeUndefined();
    expect(first?.high).toBeGreaterThanOrEqual(3.8 / pairs.length);
    const lowest = rest.find(({ far }) => far !== undefined);
    expect(lowest?.far).toBeGreaterThanOrEqual(3 / pairs.length - 1e-9);
    expect(lowest?.far).toBeLessThan(9 / pairs.length);
  });

  it('never falls towards more distant pairs', () => {
    for (const [index, { score, far = 0, low = 0, high }] of (curve ?? []).entries()) {
      const next = curve?.[index + 1];
      if (next === undefined) continue;
      expect(next.score).toBeLessThan(score);
      expect(next.far ?? 0).toBeGreaterThanOrEqual(far);
      expect(next.low ?? 0).toBeGreaterThanOrEqual(low);
      expect(next.high).toBeGreaterThanOrEqual(high);
    }
  });

  it('is not made of few people', () => {
    expect(
      measureFarCurve(
        allPairs(19, () => 0.5),
        19,
        [],
      ),
    ).toBeUndefined();
  });

  it('holds for other people in about 95 % of cases, though some people resemble many', () => {
    const random = seededRandom(5);
    let inside = 0;
    const cases = 60;
    const group = () => {
      // A person's tendency moves all of his pairs.
      const tendency = Array.from({ length: 60 }, () => 0.12 * (random() + random() + random() - 1.5));
      return allPairs(
        60,
        (a, b) => 0.8 + (tendency[a] as number) + (tendency[b] as number) + 0.3 * (random() + random() - 1),
      );
    };
    for (let i = 0; i < cases; i++) {
      const points = measureFarCurve(group(), 60, [0.05]) ?? [];
      const point = points.find(({ far = 0 }) => far >= 0.0495);
      const others = group();
      const observed =
        others.filter(({ distance }) => 1 - distance / 2 >= (point?.score ?? 1)).length / others.length;
      if (observed >= (point?.low ?? 1) && observed <= (point?.high ?? 0)) inside++;
    }
    expect(inside / cases).toBeGreaterThanOrEqual(0.88);
  });
});

describe('searches among people who are drawn', () => {
  /** Unit vectors of people in directions of their own, with a second picture that is turned a little. */
  const pictures = Array.from({ length: 40 }, (_, person) =>
    [0, 0.1].map((turn) => {
      const embedding = new Float64Array(41);
      embedding[person] = Math.cos(turn);
      embedding[40] = Math.sin(turn);
      return { person: `p${person}`, embedding };
    }),
  ).flat();

  it('find every enrolled person and no stranger, if people are far apart', () => {
    const draws = drawSearches(pictures, 20, 3);
    if (draws === undefined) throw new Error('There are no draws.');
    expect(fpirOf(draws, 0.5)).toMatchObject({ rate: 0, range: [0, 0], of: 20 * draws.count });
    expect(fnirOf(draws, 0.5)).toMatchObject({ rate: 0, of: 20 * draws.count });
    // Nearer than a person's own two pictures are.
    expect(fnirOf(draws, 0.001)?.rate).toBe(1);
    expect(fpirOf(draws, 1.1).rate).toBe(1);
    expect(drawSearches(pictures, 20, 3)).toEqual(draws);
  });

  it('count an enrolled person as not found if another is nearer', () => {
    // The second picture of each person is that of another one.
    const swapped = pictures.map(({ embedding }, index) => ({
      person: `p${index % 2 === 0 ? index >> 1 : ((index >> 1) + 1) % 40}`,
      embedding,
    }));
    const draws = drawSearches(swapped, 30, 3);
    expect(draws && (fnirOf(draws, 2)?.rate ?? 0)).toBeGreaterThan(0.5);
  });

  it('need people left who can be strangers', () => {
    expect(drawSearches(pictures, 31, 3)).toBeUndefined();
  });
});

describe('rates of groups', () => {
  const pairsOf = (group: string, first: number, near: number) =>
    Array.from({ length: 100 }, (_, i) => ({
      ...impostor(first + 2 * i, first + 2 * i + 1, i < near ? 0.3 : 0.9),
      group,
    }));

  it('differ if they differ beyond chance', () => {
    const [a, b, c] = ratesOfGroups(
      [...pairsOf('a', 0, 2), ...pairsOf('b', 200, 3), ...pairsOf('c', 400, 30)],
      600,
      0.5,
    );
    expect(a).toMatchObject({
      group: 'a',
      fmr: { errors: 2, of: 100, rate: 0.02, differs: true },
      fnmr: undefined,
    });
    expect(b?.fmr?.differs).toBe(true);
    expect(c?.fmr).toMatchObject({ errors: 30, differs: true });
    expect(c?.fmr?.interval[0]).toBeGreaterThan(0.2);
  });

  it('cannot be told apart with few errors', () => {
    const groups = ratesOfGroups([...pairsOf('a', 0, 2), ...pairsOf('b', 200, 5)], 400, 0.5);
    expect(groups.map(({ fmr }) => fmr?.differs)).toEqual([false, false]);
  });
});
