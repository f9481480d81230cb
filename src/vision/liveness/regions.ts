import type { BoundingBox } from '../detect/face.ts';

/** A part of a picture, in whole pixels. */
export interface Region {
  left: number;
  top: number;
  width: number;
  height: number;
}

interface Size {
  width: number;
  height: number;
}

/**
 * The crop of MiniFASNet: the box, enlarged about its centre as far as the picture is large enough for it, and shifted into the
 * picture. Source: minivision-ai/Silent-Face-Anti-Spoofing, src/generate_patches.py (CropImage).
 *
 * @param boxes sides of the crop, as a multiple of those of the box.
 */
export function regionWithin({ width, height }: Size, box: BoundingBox, boxes: number): Region {
  const [boxWidth, boxHeight] = [box.right - box.left, box.bottom - box.top];
  const scale = Math.min((height - 1) / boxHeight, (width - 1) / boxWidth, boxes);
  const [left, right] = shiftInside((box.left + box.right) / 2, boxWidth * scale, width - 1);
  const [top, bottom] = shiftInside((box.top + box.bottom) / 2, boxHeight * scale, height - 1);
  // The last row and the last column belong to it.
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** @returns the first and the last pixel. */
function shiftInside(centre: number, length: number, last: number): [number, number] {
  let [from, to] = [centre - length / 2, centre + length / 2];
  if (from < 0) [from, to] = [0, to - from];
  if (to > last) [from, to] = [from - (to - last), last];
  return [Math.trunc(from), Math.trunc(to)];
}

/**
 * The crop of facenox: a square about the centre of the box, which may reach beyond the picture. Source:
 * facenox/face-antispoof-onnx, src/inference/preprocess.py.
 *
 * @param boxes its side, as a multiple of the longer side of the box.
 */
export function squareRegion(box: BoundingBox, boxes: number): Region {
  const side = Math.max(box.right - box.left, box.bottom - box.top) * boxes;
  const whole = Math.trunc(side);
  return {
    left: Math.trunc((box.left + box.right) / 2 - side / 2),
    top: Math.trunc((box.top + box.bottom) / 2 - side / 2),
    width: whole,
    height: whole,
  };
}

/** The share of a region's area that lies inside the picture, 0..1. */
export function shareInside({ left, top, width, height }: Region, picture: Size): number {
  const across = overlap(left, width, picture.width);
  const down = overlap(top, height, picture.height);
  return width > 0 && height > 0 ? (across * down) / (width * height) : 0;
}

/** How many of `length` pixels from `from` on are among the first `limit`. */
function overlap(from: number, length: number, limit: number): number {
  return Math.max(0, Math.min(from + length, limit) - Math.max(from, 0));
}
