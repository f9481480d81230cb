import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readImageText } from '../../../src/json/image-text.ts';
import { decodePicture } from '../../../src/vision/decode/decode.ts';
import { bigTiff } from '../../support/big-tiff.ts';
import { encodeJpeg } from '../../support/jpeg-encoder.ts';
import { blobs } from '../../support/pictures.ts';

const LIMIT = 1_000_000;
const SIDE = 240;

describe('a JPEG with stray bytes before each restart marker', () => {
  const whole = async () =>
    encodeJpeg(
      { data: await blobs(4, SIDE, SIDE).raw().toBuffer(), width: SIDE, height: SIDE },
      { subsampling: '4:2:0', restartBlocks: 1 },
    );

  /** 15 × 15 blocks, so 224 markers, of which each becomes a warning. */
  function withStrayBytes(jpeg: Uint8Array): Buffer {
    const parts: Uint8Array[] = [];
    let from = 0;
    for (let at = 0; at + 1 < jpeg.length; at++) {
      if (jpeg[at] !== 0xff || (jpeg[at + 1] as number) < 0xd0 || (jpeg[at + 1] as number) > 0xd7) continue;
      parts.push(jpeg.subarray(from, at), Buffer.alloc(10, 0x55));
      from = at;
    }
    return Buffer.concat([...parts, jpeg.subarray(from)]);
  }

  it('has the pixels that it would have without them', async () => {
    const stray = withStrayBytes(await whole());
    await expect(sharp(stray).raw().toBuffer()).rejects.toThrow('extraneous bytes');
    const { data } = await decodePicture(stray, LIMIT);
    expect(Buffer.compare(data, (await decodePicture(await whole(), LIMIT)).data)).toBe(0);
  });

  it('is refused if it is truncated, too', async () => {
    const stray = withStrayBytes(await whole());
    for (const missing of [1, 200]) {
      const truncated = stray.subarray(0, stray.length - missing);
      await expect(decodePicture(truncated, LIMIT)).rejects.toMatchObject({ code: 'INVALID_IMAGE' });
    }
  });
});

describe('BigTIFF', () => {
  it('is decoded', async () => {
    const { data, width, height } = await decodePicture(bigTiff(7, 5), LIMIT);
    expect({ width, height }).toEqual({ width: 7, height: 5 });
    expect([...data.subarray(0, 9)]).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
  });

  it.each([
    ['pixels', bigTiff(2000, 600), 'IMAGE_TOO_LARGE'],
    [
      'entries',
      bigTiff(
        9,
        9,
        Array.from({ length: 5000 }, () => [300, 3, 0] as const).map((e) => [...e]),
      ),
      'INVALID_IMAGE',
    ],
    [
      'tags',
      bigTiff(
        9,
        9,
        Array.from({ length: 300 }, (_, tag) => [tag + 1000, 3, 0]),
      ),
      'INVALID_IMAGE',
    ],
  ])('is held to the same limits of %s', async (_what, bytes, code) => {
    await expect(decodePicture(bytes, LIMIT)).rejects.toMatchObject({ code });
  });
});

it('of an animated AVIF, the still picture is decoded', async () => {
  const still = await blobs(5, 64, 48).avif({ effort: 0 }).toBuffer();
  const animated = Buffer.from(still);
  animated.write('avis', 8, 'latin1');
  const before = Buffer.from(animated);
  const { data } = await decodePicture(animated, LIMIT);
  expect(Buffer.compare(data, (await decodePicture(still, LIMIT)).data)).toBe(0);
  // The caller's bytes are as they were.
  expect(animated.equals(before)).toBe(true);
});

it.each(['\n', ' \r\n\t ', ''])('a data URL may have white space (%j) before it', (blank) => {
  const text = `${blank}data:image/png;base64,aGVsbG8=`;
  expect(Buffer.from(readImageText(text, 100) as Uint8Array).toString()).toBe('hello');
});
