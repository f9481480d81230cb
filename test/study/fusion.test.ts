import { describe, expect, it } from 'vitest';
import { measureGains } from '../../study/fusion/gain.ts';
import { measureIntruders } from '../../study/fusion/intruders.ts';
import { intervalOverPeople, type Person, subsetsOf } from '../../study/fusion/people.ts';
import type { MeasuredVersion } from '../../study/quality/photos.ts';
import { seededRandom } from '../support/numbers.ts';

/** People with four photographs; the more noise, the less alike they are. */
function peopleWith(noise: number, count = 12): Person[] {
  const random = seededRandom(5);
  const vector = () => Array.from({ length: 48 }, () => random() + random() - 1);
  return Array.from({ length: count }, () => {
    const centre = vector();
    return Array.from({ length: 4 }, () => {
      const values = vector().map((value, i) => (centre[i] as number) + noise * value);
      const norm = Math.hypot(...values);
      const original = {
        kind: 'original',
        level: 0,
        found: true,
        embedding: Float32Array.from(values, (value) => value / norm),
        quality: { score: 1 },
      } as MeasuredVersion;
      return { original, versions: [original] };
    });
  });
}

describe('the study of several photographs', () => {
  it('takes all subsets', () => {
    expect(subsetsOf(['a', 'b', 'c'], 2)).toEqual([
      ['a', 'b'],
      ['a', 'c'],
      ['b', 'c'],
    ]);
    expect(subsetsOf([1, 2, 3, 4, 5, 6], 3)).toHaveLength(20);
  });

  it('finds that three tell more than one, with an interval that says so', () => {
    const people = peopleWith(1.6);
    const gains = measureGains(people, people, ['as they are']).filter(
      ({ photographs }) => photographs === 3,
    );
    expect(gains).toHaveLength(3);
    for (const { people: able, queries, one, several, gain, interval } of gains) {
      expect([able, queries]).toEqual([12, 48]);
      expect(gain).toBeCloseTo(one - several, 12);
      expect(interval[0]).toBeLessThanOrEqual(gain);
      expect(interval[1]).toBeGreaterThanOrEqual(gain);
    }
    const mean = gains.find(({ way }) => way === 'mean, equal weights');
    expect(mean?.gain).toBeGreaterThan(0.05);
    expect(mean?.interval[0]).toBeGreaterThan(0);
  });

  it('counts intruders that are found, missed, and sets without a template', () => {
    const alike = peopleWith(0.4);
    const [found] = measureIntruders(alike, alike, ['as they are'], [{ agreement: 0.5, source: '' }]).slice(
      -1,
    );
    expect(found).toMatchObject({
      size: 5,
      people: 12,
      sets: 1200,
      found: 1,
      exactly: 1,
      none: 0,
      missed: 0,
      whole: 1,
    });
    const [blind] = measureIntruders(alike, alike, ['as they are'], [{ agreement: -1, source: '' }]).slice(
      -1,
    );
    expect(blind).toMatchObject({ found: 0, missed: 1, whole: 1 });
    const [strict] = measureIntruders(
      alike,
      alike,
      ['as they are'],
      [{ agreement: 0.999, source: '' }],
    ).slice(-1);
    expect(strict).toMatchObject({ found: 0, missed: 0, none: 1, whole: 0 });
  });

  it('draws people for its intervals', () => {
    expect(intervalOverPeople([0.5, 0.5], seededRandom(1))).toEqual([0.5, 0.5]);
    const [low, high] = intervalOverPeople([0, 1, 0, 1, 0, 1, 0, 1], seededRandom(1));
    expect(low).toBeLessThan(0.3);
    expect(high).toBeGreaterThan(0.7);
  });
});
