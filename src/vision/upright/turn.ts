import { orientPixels } from '../orient-pixels.ts';
import type { Picture } from '../picture.ts';

/** Degrees, clockwise. */
export const TURNS = [90, 180, 270] as const;

export type Turn = (typeof TURNS)[number];

/** The orientation of EXIF (Exif 2.32, 4.6.4) of a picture that becomes upright by the turn. */
const ORIENTATION = { 90: 6, 180: 3, 270: 8 };

/** @returns the picture turned clockwise, with pixels of its own. */
export function turnPicture(picture: Picture, turn: Turn): Picture {
  const { width, height } = picture.original;
  const original = turn === 180 ? picture.original : { width: height, height: width };
  return { ...orientPixels(picture, ORIENTATION[turn]), original };
}
