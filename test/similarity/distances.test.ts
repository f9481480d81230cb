import { describe, expect, it } from 'vitest';
import { writeSquaredDistances } from '../../src/similarity/distances.ts';
import { seededRandom } from '../support/numbers.ts';

describe('writeSquaredDistances', () => {
  it.each([1, 2, 3, 4, 5, 8, 11])('gives %i queries their single results, bit for bit', (count) => {
    const length = 37;
    const random = seededRandom(count);
    const vector = (n: number) => Float64Array.from({ length: n }, () => random() - 0.5);
    const queries = vector(count * length);
    const reference = vector(length);
    const together = new Float64Array(count * 3);
    writeSquaredDistances(queries, reference, together, 1, 3);
    for (let query = 0; query < count; query++) {
      const single = new Float64Array(1);
      writeSquaredDistances(queries.subarray(query * length, (query + 1) * length), reference, single, 0, 1);
      expect(single[0]).toBeGreaterThan(0);
      expect(together[query * 3 + 1]).toBe(single[0]);
      expect(together[query * 3]).toBe(0);
    }
  });
});
