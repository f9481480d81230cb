import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { TURNS, turnPicture } from '../../../src/vision/upright/turn.ts';
import { seededRandom } from '../../support/numbers.ts';

describe.each(TURNS)('a picture turned by %i degrees', (turn) => {
  it.each([
    [1, 1],
    [70, 1],
    [1, 70],
    [32, 64],
    [33, 95],
    [101, 67],
  ])('is what sharp makes of it: %i×%i', async (width, height) => {
    const random = seededRandom(width + height);
    const data = Uint8Array.from({ length: width * height * 3 }, () => Math.floor(random() * 256));
    const original = { width: 4 * width, height: 4 * height };
    const turned = turnPicture({ data, width, height, original }, turn);
    const expected = await sharp(data, { raw: { width, height, channels: 3 } })
      .rotate(turn)
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([turned.width, turned.height]).toEqual([expected.info.width, expected.info.height]);
    expect(turned.original).toEqual({ width: 4 * turned.width, height: 4 * turned.height });
    expect(expected.data.equals(turned.data)).toBe(true);
  });
});
