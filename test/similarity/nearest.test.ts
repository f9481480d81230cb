import { describe, expect, it } from 'vitest';
import { findNearest } from '../../src/similarity/nearest.ts';
import { seededRandom } from '../support/numbers.ts';

/** What it promises, in the plainest way. */
const sorted = (distances: Float64Array, most: number) =>
  [...distances.keys()].sort((a, b) => (distances[a] as number) - (distances[b] as number)).slice(0, most);

describe('the nearest of many', () => {
  const random = seededRandom(3);
  it.each([
    ['random', () => random()],
    ['with many ties', () => Math.floor(random() * 7)],
    ['ever nearer', (i: number) => -i],
    ['ever farther', (i: number) => i],
    ['all the same', () => 1],
  ])('are those that sorting finds: %s', (_name, distance) => {
    const distances = Float64Array.from({ length: 500 }, (_, i) => distance(i));
    for (const most of [1, 2, 10, 249, 250, 251, 499, 500, 900]) {
      expect(findNearest(distances, most)).toEqual(sorted(distances, most));
    }
  });

  it('are none of none', () => expect(findNearest(new Float64Array(), 0)).toEqual([]));
});
