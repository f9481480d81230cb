import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { genuineComparisons, splitPersons, thresholdAt } from '../../study/quality/comparisons.ts';
import {
  areaUnderCurve,
  curvePoints,
  rankComparisons,
  rankIdeally,
} from '../../study/quality/discard-curve.ts';
import { drawCurves } from '../../study/quality/draw.ts';
import { fitWeights } from '../../study/quality/fit.ts';
import type { Version, VersionName } from '../../study/quality/photos.ts';
import { seededRandom } from '../support/numbers.ts';
import { ROOT } from '../support/shared.ts';

/** Comparisons with these qualities. With the threshold of 0.5, those with a lower similarity are errors. */
const comparisons = (...list: [p: number, q: number, similarity: number][]) =>
  list.map(([p, q, similarity]) => ({ person: 'a', p, q, similarity }));
const itself = (version: number) => version;

describe('the error-versus-discard curve', () => {
  const four = comparisons([1, 9, 0.1], [9, 2, 0.2], [3, 9, 0.9], [4, 9, 0.8]);

  it('orders comparisons by their worse picture', () => {
    const ranked = rankComparisons(four, itself, 0.5);
    expect(ranked.map(({ quality }) => quality)).toEqual([1, 2, 3, 4]);
    const points = curvePoints(ranked, [0, 0.25, 0.5, 0.75]);
    expect(points.map(({ y }) => y)).toEqual([1 / 2, 1 / 3, 0, 0]);
  });

  it('has the area of the integral', () => {
    // (2 − s) / (4 − s) from 0 to 2, over 4.
    const area = areaUnderCurve(rankComparisons(four, itself, 0.5));
    expect(area).toBeCloseTo((2 - 2 * Math.log(2)) / 4, 12);
    expect(areaUnderCurve(rankComparisons(four, itself, 0.5), 0.25)).toBeCloseTo(1 - 2 * Math.log(4 / 3), 12);
  });

  it('is flat for a constant measure, in any order of the comparisons', () => {
    const ranked = rankComparisons(four, () => 7, 0.5);
    expect(areaUnderCurve(ranked)).toBeCloseTo(0.5, 12);
    expect(areaUnderCurve(ranked.toReversed(), 0.3)).toBeCloseTo(0.5, 12);
  });

  it('has no smaller area than the ideal ranking', () => {
    const random = seededRandom(9);
    const many = comparisons(
      ...Array.from({ length: 200 }, () => [random(), random(), random()] as [number, number, number]),
    );
    const ideal = rankIdeally(many, 0.5);
    for (const maxShare of [0.1, 0.5, 1]) {
      const area = areaUnderCurve(rankComparisons(many, itself, 0.5), maxShare);
      expect(areaUnderCurve(ideal, maxShare)).toBeLessThan(area);
    }
  });

  it('weights each person as the resample does', () => {
    const [first, ...rest] = four;
    const mixed = [{ ...(first as (typeof four)[number]), person: 'b' }, ...rest];
    const twice = areaUnderCurve(rankComparisons([...mixed, ...rest], itself, 0.5));
    const weighted = areaUnderCurve(rankComparisons(mixed, itself, 0.5), 1, (person) =>
      person === 'a' ? 2 : 1,
    );
    expect(weighted).toBeCloseTo(twice, 12);
  });
});

describe('the regression', () => {
  const random = seededRandom(3);
  const examples = Array.from({ length: 4000 }, () => {
    const terms = { helps: 4 * random() - 2, harms: random(), nothing: random() };
    const chance = 1 / (1 + Math.exp(-(0.5 + 1.5 * terms.helps - 2 * terms.harms)));
    return { terms, matches: random() < chance };
  });

  it('finds positive weights, and sets negative ones to zero', () => {
    const weights = fitWeights(examples, ['helps', 'harms']);
    expect(Math.abs(weights.helps - 1.5)).toBeLessThan(0.2);
    expect(weights.harms).toBe(0);
  });
});

describe('the comparisons', () => {
  it('split persons into disjoint halves, the same in every run', () => {
    const persons = Array.from({ length: 21 }, (_, i) => `person ${i}`);
    const [p = new Set(), q = new Set()] = splitPersons(persons, 2, 'seed');
    expect(p.size + q.size).toBe(21);
    expect([...p].filter((person) => q.has(person))).toEqual([]);
    expect(splitPersons(persons.toReversed(), 2, 'seed')).toEqual([p, q]);
    expect(splitPersons(persons, 2, 'other seed')).not.toEqual([p, q]);
  });

  it('set the threshold so that the given share of the impostors exceeds it', () => {
    const similarities = Array.from({ length: 1000 }, (_, i) => i / 1000);
    const threshold = thresholdAt(similarities, 0.01);
    expect(similarities.filter((value) => value > threshold)).toHaveLength(10);
  });

  it('compare every version with the other photograph, except versions without a face', () => {
    const files = ['A_1.jpg', 'A_2.jpg'] as const;
    const versions = (isDarkFound: boolean) => [
      measured({ kind: 'original', level: 0 }),
      measured({ kind: 'blur', level: 1 }),
      isDarkFound
        ? measured({ kind: 'dark', level: 1 })
        : ({ kind: 'dark', level: 1, found: false } as const),
    ];
    const photos = files.map((file, i) => ({
      file,
      versions: versions(i === 1),
      timings: undefined,
      returned: undefined,
    }));
    const list = genuineComparisons([{ a: files[0], b: files[1], samePerson: true }], photos);
    // The originals; 1 + 2 degraded versions with the other original; the degraded version of the first with one of the second.
    expect(list).toHaveLength(5);
    expect(list[0]).toMatchObject({ person: 'A', similarity: 1 });
  });
});

function measured(name: VersionName): Version {
  const pose = { roll: 0, yaw: 0, pitch: 0 };
  const picture = { brightness: 0.5, contrast: 0.2, sharpness: 0.9, size: 80, pose, margin: 1 };
  const quality = { ...picture, embeddingNorm: 20, score: 0.9 };
  return { ...name, found: true, embedding: Float32Array.of(1, 0), quality, detectionScore: 0.8 };
}

it('the chart has finite coordinates and escaped text', () => {
  const points = [
    { x: 0, y: 0.3 },
    { x: 0.9, y: 0 },
  ];
  const svg = drawCurves([{ label: 'a < b', colour: '#000', dash: '', points }], {
    title: 't',
    x: 'x',
    y: 'y',
  });
  expect(svg).not.toContain('NaN');
  expect(svg).toContain('a &#60; b');
});

it('docs/QUALITY.md has markers for every table of the study', () => {
  const document = readFileSync(join(ROOT, 'docs/QUALITY.md'), 'utf8');
  for (const name of [
    'cost',
    'weights',
    'forms',
    'halves',
    'areas',
    'swapped',
    'kinds',
    'gates',
    'calibration',
    'reasons',
  ]) {
    expect(document).toMatch(new RegExp(`<!-- ${name}:begin[^\\n]*-->\\n[^<]+<!-- ${name}:end -->`));
  }
});
