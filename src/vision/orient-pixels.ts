import type { Pixels } from './picture.ts';

/** Side of the squares that are copied one after the other, so that the rows of both pictures stay in the cache. */
const TILE = 64;

/** Orientations of EXIF whose picture is mirrored, upside down, or has rows for columns (Exif 2.32, 4.6.4, tag 0112). */
const FROM_RIGHT = [2, 3, 7, 8];
const FROM_BOTTOM = [3, 4, 6, 7];
const TRANSPOSED = [5, 6, 7, 8];

/**
 * Turns and mirrors a picture as its orientation says. The pixels are copied unchanged.
 *
 * @param orientation 1 to 8, of which 1 is upright.
 * @returns the same picture for 1, else a new one.
 */
export function orientPixels(picture: Pixels, orientation: number): Pixels {
  if (orientation === 1) return picture;
  const { data: from } = picture;
  const transposed = TRANSPOSED.includes(orientation);
  const width = transposed ? picture.height : picture.width;
  const height = transposed ? picture.width : picture.height;
  // Bytes between neighbours of a row and of a column of the picture as it is, in the direction of the upright one.
  const alongRow = FROM_RIGHT.includes(orientation) ? -3 : 3;
  const alongColumn = (FROM_BOTTOM.includes(orientation) ? -3 : 3) * picture.width;
  const first =
    (alongRow < 0 ? 3 * (picture.width - 1) : 0) +
    (alongColumn < 0 ? -alongColumn * (picture.height - 1) : 0);
  const [stepX, stepY] = transposed ? [alongColumn, alongRow] : [alongRow, alongColumn];
  const { buffer, byteOffset, byteLength } = Buffer.allocUnsafeSlow(from.length);
  const to = new Uint8Array(buffer, byteOffset, byteLength);
  for (let top = 0; top < height; top += TILE) {
    const bottom = Math.min(top + TILE, height);
    for (let left = 0; left < width; left += TILE) {
      const right = Math.min(left + TILE, width);
      for (let y = top; y < bottom; y++) {
        let source = first + left * stepX + y * stepY;
        const end = 3 * (y * width + right);
        for (let target = 3 * (y * width + left); target < end; target += 3) {
          to[target] = from[source] as number;
          to[target + 1] = from[source + 1] as number;
          to[target + 2] = from[source + 2] as number;
          source += stepX;
        }
      }
    }
  }
  return { data: to, width, height };
}
