import { ALIGNMENT_SIDES } from '../../packs/alignment-sides.ts';
import type { Pixels } from '../picture.ts';

/** Maps (x, y) to (a·x − b·y + tx, b·x + a·y + ty): rotation, uniform scale and shift. */
export interface SimilarityTransform {
  a: number;
  b: number;
  tx: number;
  ty: number;
}

/** A face as the recogniser's input shows it, before normalisation. */
export interface AlignedFace {
  /** size × size × 3 bytes, interleaved R, G, B; black outside the picture. */
  pixels: Uint8Array;
  size: number;
  /** From the picture to these pixels. */
  transform: SimilarityTransform;
}

/** The five landmarks of ArcFace's training faces, at 112×112. Source: insightface, utils/face_align.py. */
const ARCFACE_TEMPLATE = [
  38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041,
];

/**
 * The landmark template for a recogniser input of this side; multiples of 128 have a wider margin at the sides.
 * Source: insightface, utils/face_align.py (estimate_norm).
 */
export function landmarkTemplate(size: number): number[] {
  const wide = size % ALIGNMENT_SIDES.narrow !== 0;
  const ratio = size / (wide ? ALIGNMENT_SIDES.wide : ALIGNMENT_SIDES.narrow);
  return ARCFACE_TEMPLATE.map((value, index) => value * ratio + (wide && index % 2 === 0 ? 8 * ratio : 0));
}

/**
 * Least-squares similarity transform of one point set onto another (Umeyama, "Least-squares estimation of
 * transformation parameters between two point patterns", 1991), in closed form for two dimensions.
 * Points are x0, y0, x1, y1, … When all source points coincide, only the shift is fitted.
 */
export function fitSimilarity(source: ArrayLike<number>, target: ArrayLike<number>): SimilarityTransform {
  const count = source.length / 2;
  const sourceMean = meanPoint(source);
  const targetMean = meanPoint(target);
  let dot = 0;
  let cross = 0;
  let spread = 0;
  for (let i = 0; i < count; i++) {
    const sx = (source[2 * i] as number) - sourceMean.x;
    const sy = (source[2 * i + 1] as number) - sourceMean.y;
    const tx = (target[2 * i] as number) - targetMean.x;
    const ty = (target[2 * i + 1] as number) - targetMean.y;
    dot += sx * tx + sy * ty;
    cross += sx * ty - sy * tx;
    spread += sx * sx + sy * sy;
  }
  const a = spread > 0 ? dot / spread : 1;
  const b = spread > 0 ? cross / spread : 0;
  return {
    a,
    b,
    tx: targetMean.x - a * sourceMean.x + b * sourceMean.y,
    ty: targetMean.y - b * sourceMean.x - a * sourceMean.y,
  };
}

function meanPoint(points: ArrayLike<number>): { x: number; y: number } {
  let x = 0;
  let y = 0;
  for (let i = 0; i < points.length; i += 2) {
    x += points[i] as number;
    y += points[i + 1] as number;
  }
  const count = points.length / 2;
  return { x: x / count, y: y / count };
}

/**
 * Warps a face onto the template: bilinear without antialiasing, black outside the picture, rounded to whole grey
 * levels, as OpenCV's warpAffine.
 *
 * @param transform from picture to aligned face.
 * @param out size × size × 3 bytes, interleaved R, G, B; overwritten.
 */
export function warpFace(
  picture: Pixels,
  transform: SimilarityTransform,
  size: number,
  out: Uint8Array,
): void {
  const { data, width, height } = picture;
  const { a, b, tx, ty } = transform;
  const determinant = a * a + b * b || 1;
  // The inverse: from the aligned face to the picture.
  const ia = a / determinant;
  const ib = b / determinant;
  const stride = width * 3;
  let pixel = 0;
  for (let y = 0; y < size; y++) {
    const rowX = ib * (y - ty);
    const rowY = ia * (y - ty);
    for (let x = 0; x < size; x++, pixel += 3) {
      const sx = ia * (x - tx) + rowX;
      const sy = rowY - ib * (x - tx);
      const x0 = Math.floor(sx);
      const y0 = Math.floor(sy);
      if (!(x0 >= -1 && x0 < width && y0 >= -1 && y0 < height)) {
        out[pixel] = 0;
        out[pixel + 1] = 0;
        out[pixel + 2] = 0;
        continue;
      }
      let right = sx - x0;
      let bottom = sy - y0;
      let left = 1 - right;
      let top = 1 - bottom;
      // The four neighbours. One outside the picture is black: it gets weight zero and any valid index.
      let topLeft = y0 * stride + x0 * 3;
      let topRight = topLeft + 3;
      let bottomLeft = topLeft + stride;
      let bottomRight = bottomLeft + 3;
      if (x0 < 0) {
        left = 0;
        topLeft = topRight;
        bottomLeft = bottomRight;
      } else if (x0 === width - 1) {
        right = 0;
        topRight = topLeft;
        bottomRight = bottomLeft;
      }
      if (y0 < 0) {
        top = 0;
        topLeft = bottomLeft;
        topRight = bottomRight;
      } else if (y0 === height - 1) {
        bottom = 0;
        bottomLeft = topLeft;
        bottomRight = topRight;
      }
      for (let channel = 0; channel < 3; channel++) {
        const value =
          top * (left * (data[topLeft + channel] as number) + right * (data[topRight + channel] as number)) +
          bottom *
            (left * (data[bottomLeft + channel] as number) + right * (data[bottomRight + channel] as number));
        // Rounds, since storing to a Uint8Array truncates.
        out[pixel + channel] = value + 0.5;
      }
    }
  }
}

/** The inverse transform: from the aligned face to the picture. */
export function invertSimilarity({ a, b, tx, ty }: SimilarityTransform): SimilarityTransform {
  const determinant = a * a + b * b || 1;
  const back = { a: a / determinant, b: -b / determinant };
  return { ...back, tx: -back.a * tx + back.b * ty, ty: -back.b * tx - back.a * ty };
}
