import { expect, it } from 'vitest';
import { normalisePixels, tabulateNormalisation } from '../../src/vision/recognise/normalisation.ts';

it.each([
  ['rgb', [0, 253, 1, 254, 2, 255]],
  ['bgr', [2, 255, 1, 254, 0, 253]],
] as const)(
  'normalisation turns interleaved pixels into planes of (x − mean) / std in float32: %s',
  (order, levels) => {
    const input = new Float32Array(6);
    normalisePixels(
      Uint8Array.of(0, 1, 2, 253, 254, 255),
      tabulateNormalisation({ mean: 127.5, std: 128 }),
      input,
      order,
    );
    expect(input).toEqual(Float32Array.from(levels, (level) => (level - 127.5) / 128));
  },
);
