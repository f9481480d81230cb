import Module from 'node:module';
import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../../src/vision/decode/decode.ts';
import { hasRealWeights, photo } from '../../support/shared.ts';

const mean = (levels: Uint8Array) => levels.reduce((sum, level) => sum + level, 0) / levels.length;

const LIMIT = 1_000_000;
const START = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1');

interface Resolver {
  _resolveFilename: (name: string, ...rest: unknown[]) => string;
}

describe('HEIC', () => {
  it('is refused without the optional package, and the detail names it', async () => {
    const resolver = Module as unknown as Resolver;
    const resolve = resolver._resolveFilename;
    resolver._resolveFilename = (name, ...rest) => {
      if (name.startsWith('libheif-js')) throw new Error('It is not installed.');
      return resolve(name, ...rest);
    };
    try {
      await expect(decodePicture(START, LIMIT)).rejects.toMatchObject({
        code: 'UNSUPPORTED_FORMAT',
        detail: expect.stringContaining('npm install libheif-js'),
      });
    } finally {
      resolver._resolveFilename = resolve;
    }
  });

  it.skipIf(!hasRealWeights)('is decoded with it, within the limits', async () => {
    const bytes = photo('unusual/heic.heic');
    const { data, width, height } = await decodePicture(bytes, LIMIT);
    expect({ width, height }).toEqual({ width: 250, height: 250 });
    const { data: original } = await decodePicture(photo('unusual/bmp24.bmp'), LIMIT);
    const differences = data.map((level, at) => Math.abs(level - (original[at] as number)));
    expect(mean(differences)).toBeLessThan(0.5);
    await expect(decodePicture(bytes, 250 * 250 - 1)).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' });
    await expect(decodePicture(bytes.slice(0, 8000), LIMIT)).rejects.toMatchObject({ code: 'INVALID_IMAGE' });
  });
});
