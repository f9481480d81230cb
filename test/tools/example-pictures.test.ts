import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { EXAMPLE_PICTURES } from '../../src/routes/document/example-pictures.ts';
import { ROOT } from '../support/shared.ts';

// Apart from the tests of the service, which refuses SVG in the whole process.
it.each([
  ['example-face.svg', EXAMPLE_PICTURES[0]],
  ['example-face-2.svg', EXAMPLE_PICTURES[1]],
])('the example pictures are the drawing %s', async (name, url) => {
  const pixels = (bytes: Uint8Array) => sharp(bytes).resize(112).removeAlpha().raw().toBuffer();
  const drawn = await pixels(readFileSync(`${ROOT}tools/openapi/${name}`));
  const shown = await pixels(Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'));
  const difference = drawn.reduce((sum, value, i) => sum + Math.abs(value - (shown[i] as number)), 0);
  expect(shown.length).toBe(drawn.length);
  // Lossy compression, in grey levels.
  expect(difference / drawn.length).toBeLessThan(4);
});
