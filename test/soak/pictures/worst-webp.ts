import sharp from 'sharp';
import { ascii, fill, join, u8, u24le } from './bytes.ts';
import type { Scale, WorstCase } from './cases.ts';
import { SPLIT, webpFile } from './formats.ts';
import { subject } from './ordinary.ts';

const MAX_SIDE = 16_383;

const extended = (flags: number, width: number, height: number): Buffer =>
  join(ascii('VP8X'), u8(flags, 0, 0, 0), u24le(width - 1), u24le(height - 1));

export async function* worstWebp({ bytes, pixels }: Scale): AsyncGenerator<WorstCase> {
  const one = (name: string, file: Buffer, declared = 64 * 64): WorstCase => ({
    name: `webp ${name}`,
    format: 'webp',
    bytes: file,
    pixels: declared,
  });
  const long = Math.min(MAX_SIDE, pixels);
  const short = Math.max(1, Math.floor(pixels / long));
  const side = Math.floor(Math.sqrt(pixels));
  for (const [width, height] of [
    [1, long],
    [long, 1],
    [long, short],
    [side, side],
  ] as const) {
    for (const lossless of [false, true]) {
      const image = sharp({
        create: { width, height, channels: 4, background: { r: 128, g: 128, b: 128, alpha: 0.5 } },
      });
      const file = await image.webp({ lossless, effort: 0 }).toBuffer();
      yield one(`${width}×${height}${lossless ? ', lossless' : ''}`, file, width * height);
    }
  }
  const still = await subject(64, 64).webp().toBuffer();
  const image = SPLIT.webp(still).blocks.find((block) => block.toString('latin1', 0, 3) === 'VP8') as Buffer;
  const inFile = webpFile(image).subarray(12);
  const chunk = (type: string, data: Uint8Array) => join(ascii(type), data);
  const junk = fill(webpFile(chunk('JUNK', Buffer.alloc(0))).subarray(12), bytes);
  const append = (file: Buffer, more: Buffer) => {
    const whole = join(file, more);
    whole.writeUInt32LE(whole.length - 8, 4);
    return whole;
  };
  yield one('unknown chunks behind', append(webpFile(extended(0, 64, 64), image), junk));
  yield one('unknown chunks before', append(webpFile(extended(0, 64, 64)), join(junk, inFile)));
  yield one(
    'profiles',
    append(
      webpFile(extended(0x20, 64, 64), image),
      fill(webpFile(chunk('ICCP', Buffer.alloc(8))).subarray(12), bytes),
    ),
  );
  yield one('a long profile', webpFile(extended(0x20, 64, 64), chunk('ICCP', Buffer.alloc(bytes)), image));
  yield one(
    'long EXIF',
    webpFile(
      extended(0x08, 64, 64),
      image,
      chunk('EXIF', join(ascii('MM\0*\0\0\0\x08\xff\xff'), Buffer.alloc(bytes))),
    ),
  );
  yield one('the same picture again', append(still, fill(inFile, bytes)));
  const canvas = Math.min(side, MAX_SIDE);
  yield one('frames of an animation', animation(image, canvas, bytes), canvas * canvas);
  const tiny = await sharp({ create: { width: 1, height: 1, channels: 3, background: '#888' } })
    .webp({ lossless: true })
    .toBuffer();
  const pixel = SPLIT.webp(tiny).blocks.find((block) => block.toString('latin1', 0, 3) === 'VP8') as Buffer;
  yield one('frames of one pixel', animation(pixel, canvas, bytes, 1), canvas * canvas);
  yield one('data after the end', join(still, Buffer.alloc(bytes)));
}

function animation(image: Buffer, canvas: number, bytes: number, size = 64): Buffer {
  const place = join(u24le(0), u24le(0), u24le(size - 1), u24le(size - 1), u24le(10), u8(0));
  const frame = webpFile(join(ascii('ANMF'), place, webpFile(image).subarray(12))).subarray(12);
  const start = webpFile(extended(0x02, canvas, canvas), join(ascii('ANIM'), Buffer.alloc(6)));
  const whole = join(start, fill(frame, bytes));
  whole.writeUInt32LE(whole.length - 8, 4);
  return whole;
}
