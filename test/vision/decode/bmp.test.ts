import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../../src/vision/decode/decode.ts';
import { BITMAPS } from '../../support/bmp-forms.ts';

const LIMIT = 1_000_000;

/** SHA-256 (the first 16 digits) of the RGB bytes that OpenCV 5.0.0 makes of each: cv2.imdecode with IMREAD_COLOR. */
const OPENCV: Record<string, string> = {
  '1 bit': '36594ca09297860b',
  '4 bits': '818a620f7e340b16',
  '8 bits': '31ba49ee7b106ba8',
  '16 bits': 'c136863a0893143e',
  '16 bits, 5-6-5': '6d5f3d0f9b3ff0dd',
  '24 bits': '2405a2b15e10ff79',
  '24 bits, from the top': 'fcf3c775819e07d9',
  '24 bits, version 5': '2405a2b15e10ff79',
  '24 bits, OS/2': '2405a2b15e10ff79',
  '32 bits': 'e8d5238968a95f82',
  'run lengths of 8 bits': '139095ddf30a7bbd',
  'run lengths of 4 bits': '8ba9bd2e59b1d3f8',
  'run lengths with a jump': '60aab9bee6c3ae13',
};

describe('a bitmap has the pixels that OpenCV gives it', () => {
  it.each(Object.keys(BITMAPS))('%s', async (name) => {
    const { data, width, height } = await decodePicture(BITMAPS[name] as Buffer, LIMIT);
    expect({ width, height }).toEqual({ width: 24, height: 16 });
    expect(createHash('sha256').update(data).digest('hex').slice(0, 16)).toBe(OPENCV[name]);
  });
});

describe('a bitmap is refused', () => {
  const whole = BITMAPS['24 bits'] as Buffer;
  const changed = (at: number, value: number) => {
    const copy = Buffer.from(whole);
    copy.writeInt32LE(value, at);
    return copy;
  };

  it.each(Object.keys(BITMAPS))('truncated: %s', async (name) => {
    const bytes = (BITMAPS[name] as Buffer).subarray(0, -3);
    await expect(decodePicture(bytes, LIMIT)).rejects.toMatchObject({ code: 'INVALID_IMAGE' });
  });

  it('before anything is allocated, with too many pixels', async () => {
    await expect(decodePicture(changed(18, 0x7fffffff), LIMIT)).rejects.toMatchObject({
      code: 'IMAGE_TOO_LARGE',
    });
    await expect(decodePicture(whole, 24 * 16 - 1)).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' });
  });

  it.each([
    ['without a width', changed(18, 0)],
    ['with a negative width', changed(18, -24)],
    ['without a height', changed(22, 0)],
    ['with bits that there are not', changed(26, 3 << 16)],
    ['with a compression that there is not', changed(30, 9)],
    ['with runs in 24 bits', changed(30, 1)],
    [
      'with a run that leaves the picture',
      Buffer.concat([
        (BITMAPS['run lengths with a jump'] as Buffer).subarray(0, -2),
        Buffer.from([255, 1, 0, 1]),
      ]),
    ],
    ['with more pixels than bytes', changed(22, 1000)],
  ])('%s', async (_what, bytes) => {
    await expect(decodePicture(bytes, LIMIT)).rejects.toMatchObject({ code: 'INVALID_IMAGE' });
  });
});
