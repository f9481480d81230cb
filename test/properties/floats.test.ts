import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEmbedding, readUnitEmbedding, shortenFloat32 } from '../../src/similarity/embedding.ts';
import { check, SEED } from './check.ts';

const float32 = fc.float({ noNaN: true, noDefaultInfinity: true });

describe(`numbers of embeddings (seed ${SEED})`, () => {
  it('read back as the same float32, from nine significant digits', () => {
    check(
      fc.property(float32, (value) => {
        const text = JSON.stringify(shortenFloat32(value));
        // Zero has no sign in JSON.
        expect(Math.fround(JSON.parse(text)) === value).toBe(true);
        const digits = /^-?([\d.]+)/.exec(text)?.[1]?.replace('.', '').replace(/^0+/, '') ?? '';
        expect(digits.replace(/0+$/, '').length).toBeLessThanOrEqual(9);
      }),
    );
  });

  it('are the same as numbers and as base64', () => {
    check(
      fc.property(fc.float32Array({ minLength: 1, noNaN: true, noDefaultInfinity: true }), (embedding) => {
        const numbers = encodeEmbedding(embedding, 'float') as number[];
        const bytes = Buffer.from(encodeEmbedding(embedding, 'base64') as string, 'base64');
        expect(bytes.length).toBe(4 * embedding.length);
        for (const [index, number] of numbers.entries()) {
          expect(bytes.readFloatLE(4 * index) === Math.fround(number)).toBe(true);
        }
      }),
    );
  });

  it('are scaled to norm 1 without losing their direction, from the smallest to the largest double', () => {
    const anyDoubles = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 1,
      maxLength: 20,
    });
    // All numbers of about one size, whose squares may overflow or vanish.
    const alike = fc
      .tuple(
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: -300, max: 300 }),
      )
      .map(([values, exponent]) => values.map((value) => value * 10 ** exponent));
    const vector = fc.oneof(anyDoubles, alike);
    check(
      fc.property(vector, (values) => {
        const largest = Math.max(...values.map(Math.abs));
        if (largest === 0) {
          expect(() => readUnitEmbedding(values, 'query')).toThrow(
            expect.objectContaining({ code: 'INVALID_EMBEDDING' }),
          );
          return;
        }
        const unit = readUnitEmbedding(values, 'query');
        expect(Math.hypot(...unit)).toBeCloseTo(1, 12);
        // Divided by the largest first, which neither overflows nor vanishes.
        const scaled = values.map((value) => value / largest);
        const norm = Math.hypot(...scaled);
        for (const [index, value] of unit.entries()) {
          expect(value).toBeCloseTo((scaled[index] as number) / norm, 12);
        }
      }),
    );
  });
});
