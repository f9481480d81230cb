import { describe, expect, it } from 'vitest';
import { encodeEmbedding, readUnitEmbedding, shortenFloat32 } from '../../src/similarity/embedding.ts';
import { seededRandom } from '../support/numbers.ts';

const random = seededRandom(1);
const embedding = Float32Array.from({ length: 512 }, () => random() - 0.5);

describe('writing an embedding', () => {
  it('gives numbers of at most nine digits that read back as the same float32', () => {
    const numbers = encodeEmbedding(embedding, 'float') as number[];
    expect(Float32Array.from(numbers)).toEqual(embedding);
    for (const text of JSON.stringify(numbers).slice(1, -1).split(',')) {
      const digits = text.replace(/e.*$/, '').replace(/[-.]/g, '').replace(/^0+/, '');
      expect(digits.length).toBeLessThanOrEqual(9);
    }
  });

  it('gives padded base64 of little-endian float32, as the OpenAI API does', () => {
    const text = encodeEmbedding(embedding, 'base64') as string;
    expect(text).toHaveLength(2732);
    expect(new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer)).toEqual(embedding);
    expect(encodeEmbedding(Float32Array.of(1, -2), 'base64')).toBe('AACAPwAAAMA=');
  });

  it('shortens extreme values without changing their float32', () => {
    for (const value of [1.17549435e-38, 3.4028235e38, 0.1, 1 / 3, 16777216, 1e-45, -0.30000001192092896]) {
      const float = Math.fround(value);
      expect(Math.fround(shortenFloat32(float))).toBe(float);
    }
  });
});

describe('reading an embedding', () => {
  it('gives the same unit vector for numbers and base64', () => {
    const fromNumbers = readUnitEmbedding(Array.from(embedding), 'q');
    const fromBase64 = readUnitEmbedding(encodeEmbedding(embedding, 'base64'), 'q');
    expect(fromBase64).toEqual(fromNumbers);
    expect(Math.hypot(...fromNumbers)).toBeCloseTo(1, 12);
  });

  it.each([
    ['huge', 1e200],
    ['tiny', 1e-200],
  ])('keeps the direction of %s values', (_name, scale) => {
    const unit = readUnitEmbedding([3 * scale, 4 * scale], 'q');
    expect(unit[0]).toBeCloseTo(0.6, 12);
    expect(unit[1]).toBeCloseTo(0.8, 12);
  });

  const float32 = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer).toString('base64');

  it.each([
    ['an empty array', [], 'is empty'],
    ['an empty string', '', 'is empty'],
    ['zeros', [0, 0, 0], 'has zero norm'],
    ['base64 zeros', float32(0, 0), 'has zero norm'],
    ['null', [1, null], 'has a value that is not a finite number'],
    ['a string among numbers', [1, '2'], 'has a value that is not a finite number'],
    ['a list of lists', [[1], [2]], 'has a value that is not a finite number'],
    ['an overflow', JSON.parse('[1e999]'), 'has a value that is not a finite number'],
    ['base64 NaN', float32(1, Number.NaN), 'has a value that is not a finite number'],
    ['base64 infinity', float32(Number.POSITIVE_INFINITY), 'has a value that is not a finite number'],
    [
      'half a float',
      Buffer.from([1, 2, 3, 4, 5, 6]).toString('base64'),
      'is not a whole number of float32 values',
    ],
    ['invalid base64', 'not base64!', 'is not valid base64'],
  ])('refuses %s', (_name, encoded, problem) => {
    expect(() => readUnitEmbedding(encoded, 'query_embedding')).toThrow(
      expect.objectContaining({ code: 'INVALID_EMBEDDING', detail: `query_embedding ${problem}.` }),
    );
  });
});
