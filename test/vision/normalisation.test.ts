import { expect, it } from 'vitest';
import { normalisePixels, tabulateNormalisation } from '../../src/vision/recognise/normalisation.ts';

it('normalisation turns interleaved pixels into planes of (x − mean) / std in float32', () => {
  const input = new Float32Array(6);
  normalisePixels(
    Uint8Array.of(0, 1, 2, 253, 254, 255),
    tabulateNormalisation({ mean: 127.5, std: 128 }),
    input,
  );
  expect(input).toEqual(Float32Array.of(0, 253, 1, 254, 2, 255).map((level) => (level - 127.5) / 128));
});
