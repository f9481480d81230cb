import { deflateSync } from 'node:zlib';
import { join, text, u8, u32be, zeros } from './bytes.ts';
import { crc32 } from './crc32.ts';

export function chunk(name: string, content: Uint8Array = zeros(0)) {
  const named = join(text(name), content);
  return join(u32be(content.length), named, u32be(crc32(named)));
}

export interface PngOptions {
  bits?: 1 | 8 | 16;
  colour?: 'grey' | 'rgb' | 'rgba';
  interlaced?: boolean;
  /** Chunks before the pixels. */
  extra?: Uint8Array[];
}

const COLOURS = { grey: [0, 1], rgb: [2, 3], rgba: [6, 4] } as const;

/** A black picture. */
export function png(width: number, height: number, options: PngOptions = {}) {
  const { bits = 8, colour = 'rgb', interlaced = false, extra = [] } = options;
  const [type, channels] = COLOURS[colour];
  const row = 1 + Math.ceil((width * channels * bits) / 8);
  // Passes of an interlaced picture are padded by row; the decoder ignores what is left.
  const bytes = interlaced ? 2 * row * height + 8 * width : row * height;
  return join(
    u8(0x89),
    text('PNG\r\n\x1a\n'),
    chunk('IHDR', join(u32be(width, height), u8(bits, type, 0, 0, interlaced ? 1 : 0))),
    ...extra,
    chunk('IDAT', deflateSync(zeros(bytes))),
    chunk('IEND'),
  );
}

/** A text that becomes a thousand times as long. */
export const textBomb = (bytes: number) =>
  chunk('zTXt', join(text('k\0\0'), deflateSync(zeros(bytes), { level: 9 })));

export const profileChunk = (profile: Uint8Array) =>
  chunk('iCCP', join(text('k\0\0'), deflateSync(profile, { level: 9 })));
