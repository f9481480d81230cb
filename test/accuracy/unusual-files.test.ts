import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../src/vision/decode/decode.ts';
import { hasRealWeights, photo } from '../support/shared.ts';

describe.skipIf(!hasRealWeights)('broken and unusual files', () => {
  it.each([
    ['corrupted.png', 'INVALID_IMAGE'],
    ['truncated.jpg', 'INVALID_IMAGE'],
    ['empty.png', 'UNSUPPORTED_FORMAT'],
    ['einstein.ico', 'UNSUPPORTED_FORMAT'],
  ])('refuses %s with %s', async (file, code) => {
    await expect(decodePicture(photo(`broken/${file}`), 50_000_000)).rejects.toMatchObject({ code });
  });

  it.each([
    ['animated-avis.avif', 250, 250],
    ['bigtiff.tiff', 250, 250],
    ['bmp24.bmp', 250, 250],
    ['stray-bytes-before-rst-1280x960.jpg', 1280, 960],
  ])('decodes %s', async (file, width, height) => {
    await expect(decodePicture(photo(`unusual/${file}`), 50_000_000)).resolves.toMatchObject({
      width,
      height,
    });
  });

  it.each(['einstein.bmp', 'einstein.gif', 'einstein.png', 'einstein.tiff', 'einstein.webp'])(
    'decodes %s',
    async (file) => {
      await expect(decodePicture(photo(`broken/${file}`), 50_000_000)).resolves.toMatchObject({
        width: 256,
        height: 256,
      });
    },
  );
});
