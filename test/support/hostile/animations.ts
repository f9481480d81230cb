import { join, repeat, text, u8, u16le, u24le, u32le, zeros } from './bytes.ts';

/** A GIF of frames of one pixel. */
export function gif(width: number, height: number, frames: number) {
  const screen = join(text('GIF89a'), u16le(width, height), u8(0x80, 0, 0), zeros(6));
  const frame = join(u8(0x2c), u16le(0, 0, 1, 1), u8(0, 2, 2, 0x4c, 1, 0));
  return join(screen, repeat(frame, frames), u8(0x3b));
}

export const webpChunk = (name: string, content: Uint8Array) =>
  join(text(name), u32le(content.length), content, zeros(content.length % 2));

/** One pixel, lossless. */
const PIXEL = Buffer.from('2f000000000710fd8ffe0722a2ff01', 'hex');

/** A WebP animation of frames of one pixel, and more chunks. */
export function webp(width: number, height: number, frames: number, ...more: Uint8Array[]) {
  const canvas = webpChunk('VP8X', join(u8(2, 0, 0, 0), u24le(width - 1), u24le(height - 1)));
  const place = join(u24le(0), u24le(0), u24le(0), u24le(0), u24le(10), u8(0));
  const frame = webpChunk('ANMF', join(place, webpChunk('VP8L', PIXEL)));
  const content = join(text('WEBP'), canvas, webpChunk('ANIM', zeros(6)), ...more, repeat(frame, frames));
  return join(text('RIFF'), u32le(content.length), content);
}
