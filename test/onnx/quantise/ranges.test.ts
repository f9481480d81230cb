import { describe, expect, it } from 'vitest';
import {
  activationScale,
  correctBias,
  quantiseBias,
  quantiseWeights,
  typicalRange,
} from '../../../src/onnx/quantise/ranges.ts';
import { seededRandom } from '../../support/numbers.ts';

const LARGEST = { 7: 63, 8: 127 } as const;

describe('quantised weights', () => {
  it.each([7, 8] as const)(
    'of %i bits are within half a step, each channel by its own largest value',
    (bits) => {
      const random = seededRandom(1);
      const magnitudes = [1e-6, 0.01, 1, 300];
      const weights = Float32Array.from({ length: 400 }, (_, i) => {
        const magnitude = magnitudes[Math.floor(i / 100)] as number;
        return magnitude * (2 * random() - 1);
      });
      const { values, scales } = quantiseWeights(weights, 4, bits);
      for (let channel = 0; channel < 4; channel++) {
        const stored = values.subarray(channel * 100, (channel + 1) * 100);
        expect(Math.max(...stored.map(Math.abs))).toBe(LARGEST[bits]);
        const scale = scales[channel] as number;
        for (let i = 0; i < 100; i++) {
          const error = Math.abs((stored[i] as number) * scale - (weights[channel * 100 + i] as number));
          expect(error / scale).toBeLessThan(0.5001);
        }
      }
    },
  );

  it('of 7 bits cannot overflow 16 bits when two products with bytes are added', () => {
    const { values } = quantiseWeights(Float32Array.of(-1, 1, 0.999), 1, 7);
    const largest = Math.max(...values.map(Math.abs));
    expect(2 * 255 * largest).toBeLessThan(2 ** 15);
    expect(2 * 255 * LARGEST[8]).toBeGreaterThan(2 ** 15);
  });

  it('are zeros for a channel of zeros', () => {
    const { values, scales } = quantiseWeights(new Float32Array(4), 2, 8);
    expect([...values]).toEqual([0, 0, 0, 0]);
    for (const scale of scales) expect(scale).toBeGreaterThan(0);
  });
});

describe('the scale of activations', () => {
  it.each([
    [{ min: -1, max: 3 }],
    [{ min: 0, max: 5 }],
    [{ min: 2, max: 5 }],
    [{ min: -7, max: -2 }],
    [{ min: -0.4, max: 0 }],
  ])('stores zero exactly, and all of %j within half a step', (range) => {
    const { scale, zeroPoint } = activationScale(range);
    expect(Number.isInteger(zeroPoint) && zeroPoint >= 0 && zeroPoint <= 255).toBe(true);
    for (const value of [range.min, (range.min + range.max) / 2, range.max, 0]) {
      const stored = Math.min(255, Math.max(0, Math.round(value / scale) + zeroPoint));
      expect(Math.abs((stored - zeroPoint) * scale - value)).toBeLessThanOrEqual(scale);
    }
    expect(scale).toBeLessThanOrEqual((Math.max(range.max, 0) - Math.min(range.min, 0)) / 255 + 1e-6);
  });

  it('is a positive number for a tensor of zeros', () => {
    expect(activationScale({ min: 0, max: 0 }).scale).toBeGreaterThan(0);
  });
});

describe('a quantised bias', () => {
  it('has the scale of the sums that it is added to', () => {
    const { values, scales } = quantiseBias(Float32Array.of(1, -2), 0.5, Float32Array.of(0.01, 0.25));
    expect([...values]).toEqual([200, -16]);
    expect(scales[1]).toBe(0.125);
  });

  it('is cut off at 32 bits', () => {
    const { values } = quantiseBias(Float32Array.of(1e9, -1e9), 1e-6, Float32Array.of(1e-6, 1e-6));
    expect([...values]).toEqual([2 ** 31 - 1, -(2 ** 31)]);
  });
});

describe('a range from photographs', () => {
  it('holds the extremes of nine of ten', () => {
    const seen = Array.from({ length: 10 }, (_, i) => ({ min: -i, max: 100 * i }));
    expect(typicalRange(seen)).toEqual({ min: -8, max: 800 });
    expect(typicalRange(seen.slice(3, 4))).toEqual({ min: -3, max: 300 });
  });
});

describe('a corrected bias', () => {
  it.each([1, 2, 8])(
    'gives the mean output that the weights had before they were rounded, in %i groups',
    (groups) => {
      const random = seededRandom(3);
      const [outputs, channels, positions] = [8, 8, 9];
      const dims = [outputs, channels / groups, 3, 3];
      const weights = Float32Array.from(
        { length: (outputs * channels * positions) / groups },
        () => random() - 0.5,
      );
      const bias = Float32Array.from({ length: outputs }, random);
      const means = Float64Array.from({ length: channels }, random);
      const quantised = quantiseWeights(weights, outputs, 7);
      const corrected = correctBias({ weights, dims, bias }, quantised, means);
      const perOutput = weights.length / outputs;
      const outputOf = (
        values: ArrayLike<number>,
        scaleOf: (output: number) => number,
        added: Float32Array,
      ) =>
        Array.from({ length: outputs }, (_, output) => {
          const group = Math.floor((output * groups) / outputs);
          let sum = added[output] as number;
          for (let i = 0; i < perOutput; i++) {
            const channel = (group * channels) / groups + Math.floor(i / positions);
            sum += (values[output * perOutput + i] as number) * scaleOf(output) * (means[channel] as number);
          }
          return sum;
        });
      const expected = outputOf(weights, () => 1, bias);
      const actual = outputOf(quantised.values, (output) => quantised.scales[output] as number, corrected);
      for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 5);
      expect(corrected).not.toEqual(bias);
    },
  );
});
