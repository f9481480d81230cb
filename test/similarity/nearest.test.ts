import { describe, expect, it } from 'vitest';
import { findNearest } from '../../src/similarity/nearest.ts';
import { seededRandom } from '../support/numbers.ts';

/** The same result by sorting all distances. */
const sorted = (distances: Float64Array, count: number) =>
  [...distances.keys()].sort((a, b) => (distances[a] as number) - (distances[b] as number)).slice(0, count);

describe('findNearest', () => {
  const random = seededRandom(3);
  it.each([
    ['random', () => random()],
    ['often equal', () => Math.floor(random() * 7)],
    ['falling', (i: number) => -i],
    ['rising', (i: number) => i],
    ['equal', () => 1],
  ])('returns what sorting returns, for %s distances', (_name, distance) => {
    const distances = Float64Array.from({ length: 500 }, (_, i) => distance(i));
    for (const count of [1, 2, 10, 249, 250, 251, 499, 500, 900]) {
      expect(findNearest(distances, count)).toEqual(sorted(distances, count));
    }
  });

  it('returns nothing without distances', () => expect(findNearest(new Float64Array(), 0)).toEqual([]));
});
