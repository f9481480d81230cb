import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../../src/vision/decode/decode.ts';
import { sniffImageFormat } from '../../../src/vision/decode/format.ts';
import { bytesOf } from '../../support/pictures.ts';

const LIMIT = 1_000_000;

/** Left half red, right half blue, 4 by 2. */
const halves = () =>
  sharp(
    Buffer.from([
      ...[255, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 255],
      ...[255, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 255],
    ]),
    { raw: { width: 4, height: 2, channels: 3 } },
  );

const pixel = ({ data, width }: { data: Uint8Array; width: number }, x: number, y: number) =>
  Array.from(data.slice((y * width + x) * 3, (y * width + x) * 3 + 3));

describe('decoding', () => {
  it('returns interleaved RGB', async () => {
    const picture = await decodePicture(await halves().png().toBuffer(), LIMIT);
    expect(picture).toMatchObject({ width: 4, height: 2 });
    expect(picture.data).toHaveLength(24);
    expect(pixel(picture, 0, 1)).toEqual([255, 0, 0]);
    expect(pixel(picture, 3, 0)).toEqual([0, 0, 255]);
  });

  it('rotates the picture upright by its EXIF orientation', async () => {
    const turned = await halves().withMetadata({ orientation: 6 }).png().toBuffer();
    const picture = await decodePicture(turned, LIMIT);
    expect(picture).toMatchObject({ width: 2, height: 4 });
    expect(pixel(picture, 0, 0)).toEqual([255, 0, 0]);
    expect(pixel(picture, 0, 3)).toEqual([0, 0, 255]);
  });

  it('drops alpha and keeps the colours under it', async () => {
    const transparent = sharp(Buffer.from([10, 200, 30, 0]), { raw: { width: 1, height: 1, channels: 4 } });
    const picture = await decodePicture(await transparent.png().toBuffer(), LIMIT);
    expect(Array.from(picture.data)).toEqual([10, 200, 30]);
  });

  it.each([
    ['greyscale', () => halves().greyscale().png()],
    ['16-bit colour', () => halves().toColourspace('rgb16').png()],
    ['a palette PNG', () => halves().png({ palette: true })],
    ['CMYK', () => halves().toColourspace('cmyk').jpeg()],
    ['grey with alpha', () => halves().greyscale().ensureAlpha(0.5).png()],
    ['16-bit greyscale', () => halves().toColourspace('grey16').png()],
    ['a 1-bit TIFF', () => halves().greyscale().tiff({ bitdepth: 1, compression: 'none' })],
  ])('converts %s to three 8-bit channels', async (_name, encode) => {
    const picture = await decodePicture(await encode().toBuffer(), LIMIT);
    expect(picture.data).toHaveLength(4 * 2 * 3);
  });

  it('decodes the first frame of an animation', async () => {
    const frames = await sharp([await halves().png().toBuffer(), await halves().flop().png().toBuffer()], {
      join: { animated: true },
    })
      .gif()
      .toBuffer();
    const picture = await decodePicture(frames, LIMIT);
    expect(picture).toMatchObject({ width: 4, height: 2 });
    expect(pixel(picture, 0, 0)[0]).toBeGreaterThan(200);
  });

  it('refuses a picture with too many pixels before it decodes any', async () => {
    const wide = await sharp({ create: { width: 2000, height: 600, channels: 3, background: 'grey' } })
      .png()
      .toBuffer();
    await expect(decodePicture(wide, LIMIT)).rejects.toMatchObject({
      code: 'IMAGE_TOO_LARGE',
      detail: '1200000 pixels; the limit is 1000000.',
    });
  });

  it('refuses a picture whose header declares enormous dimensions', async () => {
    const claim = bytesOf(await halves().png().toBuffer());
    // Width and height in the PNG header; the refusal comes before the check of its checksum.
    new DataView(claim.buffer).setUint32(16, 60_000);
    new DataView(claim.buffer).setUint32(20, 60_000);
    await expect(decodePicture(claim, LIMIT)).rejects.toMatchObject({
      code: expect.stringMatching(/IMAGE_TOO_LARGE|INVALID_IMAGE/),
    });
  });

  it.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)(
    'refuses a truncated %s',
    async (format) => {
      const noise = sharp({
        create: {
          width: 200,
          height: 200,
          channels: 3,
          background: 'black',
          noise: { type: 'gaussian', mean: 128, sigma: 60 },
        },
      });
      const whole = await noise.toFormat(format).toBuffer();
      expect(sniffImageFormat(whole)).toBe(format);
      await expect(decodePicture(whole, LIMIT)).resolves.toBeDefined();
      await expect(decodePicture(whole.subarray(0, whole.length / 2), LIMIT)).rejects.toMatchObject({
        code: 'INVALID_IMAGE',
      });
    },
  );

  it.each([
    ['an empty file', Buffer.alloc(0), 'INVALID_IMAGE'],
    ['text', Buffer.from('test\n'), 'UNSUPPORTED_FORMAT'],
    [
      'SVG',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      'UNSUPPORTED_FORMAT',
    ],
    ['what only begins as BMP', Buffer.from('BM000000000000000000000000'), 'UNSUPPORTED_FORMAT'],
    ['PDF', Buffer.from('%PDF-1.7\n'), 'UNSUPPORTED_FORMAT'],
    ['HEIC of sequences', Buffer.from('\0\0\0\x18ftyphevc\0\0\0\0msf1hevc', 'latin1'), 'UNSUPPORTED_FORMAT'],
    ['a HEIC signature only', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'), 'INVALID_IMAGE'],
    ['a JPEG 2000 signature only', Buffer.from([0xff, 0x4f, 0xff, 0x51]), 'INVALID_IMAGE'],
    ['a JPEG signature only', Buffer.from([0xff, 0xd8, 0xff]), 'INVALID_IMAGE'],
    ['a GIF signature only', Buffer.from('GIF89a'), 'INVALID_IMAGE'],
  ])('refuses %s', async (_name, bytes, code) => {
    await expect(decodePicture(bytes, LIMIT)).rejects.toMatchObject({ code });
  });
});

describe('decoding at a reduced size', () => {
  const SIDE = 640;
  const MAX_PIXELS = 10_000_000;
  /** Upper half red, lower half blue; the JPEG is stored rotated, with an EXIF orientation. */
  const tall = async (width: number, height: number) => {
    const rows = Buffer.alloc(width * height * 3);
    for (let i = 0; i < rows.length; i += 3) rows[i < rows.length / 2 ? i : i + 2] = 255;
    const raw = sharp(rows, { raw: { width, height, channels: 3 } });
    return {
      upright: raw,
      jpeg: raw.clone().rotate(-90).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }),
    };
  };

  it.each([
    [1000, 2560, 250, 640],
    [1000, 2559, 1000, 2559],
    [1001, 2563, 250, 640],
    [480, 5120, 60, 640],
  ])('%i × %i becomes %i × %i: the longer side keeps at least 640 pixels', async (width, height, w, h) => {
    const { jpeg } = await tall(width, height);
    const bytes = new Uint8Array(await jpeg.toBuffer());
    const picture = await decodePicture(bytes, MAX_PIXELS, { reducedSide: SIDE });
    expect(picture).toMatchObject({ width: w, height: h, original: { width, height } });
    const at = (y: number) => [...picture.data.subarray((y * w + 5) * 3, (y * w + 5) * 3 + 3)];
    expect(at(3)[0]).toBeGreaterThan(240);
    expect(at(h - 3)[2]).toBeGreaterThan(240);
    expect(await decodePicture(bytes, MAX_PIXELS)).toMatchObject({
      width,
      height,
      original: { width, height },
    });
  });

  it('applies to JPEG only, the format that gains speed by it', async () => {
    const { upright } = await tall(1000, 2560);
    const bytes = new Uint8Array(await upright.png().toBuffer());
    expect(await decodePicture(bytes, MAX_PIXELS, { reducedSide: SIDE })).toMatchObject({
      width: 1000,
      height: 2560,
    });
  });

  it('refuses the same pictures as decoding in full, with the same error codes', async () => {
    const { jpeg } = await tall(1000, 2560);
    const bytes = new Uint8Array(await jpeg.toBuffer());
    for (const side of [0, SIDE]) {
      await expect(decodePicture(bytes, 1_000_000, { reducedSide: side })).rejects.toMatchObject({
        code: 'IMAGE_TOO_LARGE',
      });
      await expect(
        decodePicture(bytes.subarray(0, 3000), MAX_PIXELS, { reducedSide: side }),
      ).rejects.toMatchObject({
        code: 'INVALID_IMAGE',
      });
    }
  });
});
