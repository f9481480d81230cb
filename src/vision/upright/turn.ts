import type { Picture } from '../picture.ts';

/** Degrees, clockwise. */
export const TURNS = [90, 180, 270] as const;

export type Turn = (typeof TURNS)[number];

/** Side of the squares that are turned one by one, in pixels: rows and columns of one fit into the processor's first cache. */
const TILE = 32;

/** @returns the picture turned clockwise, with pixels of its own. */
export function turnPicture({ data, width, height, original }: Picture, turn: Turn): Picture {
  const upsideDown = turn === 180;
  const turnedWidth = upsideDown ? width : height;
  const turnedHeight = upsideDown ? height : width;
  // Where the turned picture's first pixel comes from, and how far apart in the picture its columns and rows are.
  const first = { 90: (height - 1) * width, 180: height * width - 1, 270: width - 1 }[turn];
  const column = { 90: -width, 180: -1, 270: width }[turn];
  const row = { 90: 1, 180: -width, 270: -1 }[turn];
  const turned = new Uint8Array(data.length);
  for (let top = 0; top < turnedHeight; top += TILE) {
    const bottom = Math.min(turnedHeight, top + TILE);
    for (let left = 0; left < turnedWidth; left += TILE) {
      const right = Math.min(turnedWidth, left + TILE);
      for (let y = top; y < bottom; y++) {
        let from = 3 * (first + y * row + left * column);
        const end = 3 * (y * turnedWidth + right);
        for (let to = 3 * (y * turnedWidth + left); to < end; to += 3, from += 3 * column) {
          turned[to] = data[from] as number;
          turned[to + 1] = data[from + 1] as number;
          turned[to + 2] = data[from + 2] as number;
        }
      }
    }
  }
  const size = upsideDown ? original : { width: original.height, height: original.width };
  return { data: turned, width: turnedWidth, height: turnedHeight, original: size };
}
