import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../support/numbers.ts';
import { ROOT } from '../support/shared.ts';

/** A module of the study, which is plain JavaScript without types. */
// biome-ignore lint/suspicious/noExplicitAny: there are none.
const studyModule = (name: string): Promise<any> =>
  import(pathToFileURL(join(ROOT, 'study/quality', name)).href);

const { areaBelow, curvePoints, rankComparisons, rankIdeally } = await studyModule('discard-curve.mjs');
const { fitWeights } = await studyModule('fit.mjs');
const { genuineComparisons, splitPersons, thresholdAt } = await studyModule('comparisons.mjs');
const { drawCurves } = await studyModule('draw.mjs');

/** Comparisons with these qualities; the errors are those below the threshold of 0.5. */
const comparisons = (...list: [p: number, q: number, similarity: number][]) =>
  list.map(([p, q, similarity]) => ({ person: 'a', p, q, similarity }));
const itself = (version: number) => version;

describe('the error-versus-discard curve', () => {
  const four = comparisons([1, 9, 0.1], [9, 2, 0.2], [3, 9, 0.9], [4, 9, 0.8]);

  it('discards by the worse picture of each comparison', () => {
    const ranked = rankComparisons(four, itself, 0.5);
    expect(ranked.map(({ quality }: { quality: number }) => quality)).toEqual([1, 2, 3, 4]);
    const points = curvePoints(ranked, [0, 0.25, 0.5, 0.75]);
    expect(points.map(({ y }: { y: number }) => y)).toEqual([1 / 2, 1 / 3, 0, 0]);
  });

  it('has the area that the integral by hand has', () => {
    // (2 − s) / (4 − s) from 0 to 2, over 4.
    const area = areaBelow(rankComparisons(four, itself, 0.5));
    expect(area).toBeCloseTo((2 - 2 * Math.log(2)) / 4, 12);
    expect(areaBelow(rankComparisons(four, itself, 0.5), 0.25)).toBeCloseTo(1 - 2 * Math.log(4 / 3), 12);
  });

  it('is flat for a measure that tells nothing, whatever the order', () => {
    const ranked = rankComparisons(four, () => 7, 0.5);
    expect(areaBelow(ranked)).toBeCloseTo(0.5, 12);
    expect(areaBelow(ranked.toReversed(), 0.3)).toBeCloseTo(0.5, 12);
  });

  it('is nowhere below that of the errors themselves', () => {
    const random = seededRandom(9);
    const many = comparisons(
      ...Array.from({ length: 200 }, () => [random(), random(), random()] as [number, number, number]),
    );
    const ideal = rankIdeally(many, 0.5);
    for (const most of [0.1, 0.5, 1]) {
      expect(areaBelow(ideal, most)).toBeLessThan(areaBelow(rankComparisons(many, itself, 0.5), most));
    }
  });

  it('counts persons as often as a resample has them', () => {
    const [first, ...rest] = four;
    const mixed = [{ ...first, person: 'b' }, ...rest];
    const twice = areaBelow(rankComparisons([...mixed, ...rest], itself, 0.5));
    const weighted = areaBelow(rankComparisons(mixed, itself, 0.5), 1, (person: string) =>
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

  it('finds the weights of what helps, and gives none below zero', () => {
    const weights = fitWeights(examples, ['helps', 'harms']);
    expect(Math.abs(weights.helps - 1.5)).toBeLessThan(0.2);
    expect(weights.harms).toBe(0);
  });
});

describe('the comparisons', () => {
  it('split persons into halves that share nobody, the same in every run', () => {
    const persons = Array.from({ length: 21 }, (_, i) => `person ${i}`);
    const [p, q] = splitPersons(persons, 2, 'seed');
    expect(p.size + q.size).toBe(21);
    expect([...p].filter((person) => q.has(person))).toEqual([]);
    expect(splitPersons(persons.toReversed(), 2, 'seed')).toEqual([p, q]);
    expect(splitPersons(persons, 2, 'other seed')).not.toEqual([p, q]);
  });

  it('set the threshold where the wanted share of the impostors passes', () => {
    const similarities = Array.from({ length: 1000 }, (_, i) => i / 1000);
    const threshold = thresholdAt(similarities, 0.01);
    expect(similarities.filter((value) => value > threshold)).toHaveLength(10);
  });

  it('compare every version with the other photograph, and leave out where no face was found', () => {
    const embedding = [1, 0];
    const version = (kind: string, found = true) => ({ kind, step: 1, found, embedding });
    const photos = [
      { file: 'A_1.jpg', versions: [version('none'), version('blur'), version('dark', false)] },
      { file: 'A_2.jpg', versions: [version('none'), version('blur'), version('dark')] },
    ];
    const list = genuineComparisons([{ a: 'A_1.jpg', b: 'A_2.jpg', same: true }], photos);
    // The originals; 1 + 2 degraded with the other's original; the degraded one of the first with one of the second.
    expect(list).toHaveLength(5);
    expect(list[0]).toMatchObject({ person: 'A', similarity: 1 });
  });
});

it('the chart has no line that is not a number, and escapes its text', () => {
  const points = [
    { x: 0, y: 0.3 },
    { x: 0.9, y: 0 },
  ];
  const svg: string = drawCurves([{ label: 'a < b', colour: '#000', dash: '', points }], {
    title: 't',
    x: 'x',
    y: 'y',
  });
  expect(svg).not.toContain('NaN');
  expect(svg).toContain('a &#60; b');
});

it('docs/QUALITY.md has a place for every table of the study', async () => {
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
