import { fitSimilarity, invertSimilarity } from '../align/alignment.ts';
import type { Landmarks } from '../detect/face.ts';
import type { Pixels } from '../picture.ts';

/** The five landmarks in InsightFace's 80×80 crop. Source: insightface 2.1, addons/liveness.py (DESTINATION_LANDMARKS). */
const TEMPLATE = [32.03, 38.06, 47.89, 37.98, 40.01, 47.08, 33.5, 56.36, 46.63, 56.29];

export interface AlignedCrop {
  /** Share of the crop that lies inside the picture, 0..1. */
  inside: number;
  /** Pixels of the picture for each pixel of the crop, along a side. */
  reduction: number;
}

/**
 * Warps a face onto InsightFace's template for liveness: bilinear, with the picture's edge repeated beyond it, as OpenCV's
 * warpAffine with BORDER_REPLICATE.
 *
 * @param size side of the crop in pixels; the template is that of 80.
 * @param out size × size × 3 bytes, interleaved R, G, B; overwritten.
 */
export function warpForLiveness(
  { data, width, height }: Pixels,
  landmarks: Landmarks,
  size: number,
  out: Uint8Array,
): AlignedCrop {
  const { a, b, tx, ty } = invertSimilarity(fitSimilarity(landmarks, TEMPLATE));
  let inside = 0;
  let pixel = 0;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++, pixel += 3) {
      const sx = a * x - b * y + tx;
      const sy = b * x + a * y + ty;
      inside += coverage(sx, width) * coverage(sy, height);
      const px = Math.min(Math.max(sx, 0), width - 1);
      const py = Math.min(Math.max(sy, 0), height - 1);
      const [x0, y0] = [Math.floor(px), Math.floor(py)];
      const [right, bottom] = [px - x0, py - y0];
      const topLeft = (y0 * width + x0) * 3;
      const across = x0 < width - 1 ? 3 : 0;
      const down = y0 < height - 1 ? 3 * width : 0;
      for (let channel = 0; channel < 3; channel++) {
        const from = topLeft + channel;
        const above = (1 - right) * (data[from] as number) + right * (data[from + across] as number);
        const below =
          (1 - right) * (data[from + down] as number) + right * (data[from + down + across] as number);
        out[pixel + channel] = (1 - bottom) * above + bottom * below + 0.5;
      }
    }
  }
  return { inside: inside / (size * size), reduction: Math.hypot(a, b) };
}

/** How much of an interpolated sample comes from inside an axis: less than 1 within a pixel beyond its ends. */
function coverage(position: number, length: number): number {
  return Math.min(1, Math.max(0, Math.min(position + 1, length - position)));
}
