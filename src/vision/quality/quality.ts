import { type AlignedFace, invertSimilarity, type SimilarityTransform } from '../align/alignment.ts';
import type { BoundingBox, Landmarks } from '../detect/face.ts';
import type { Picture } from '../picture.ts';
import { estimatePose, type Pose } from './pose.ts';

/** Measures of the pixels of an aligned face. */
export interface LumaQuality {
  /** Mean luma, 0..1. */
  brightness: number;
  /** Standard deviation of the luma, 0..1. */
  contrast: number;
  /** 1 − exp(−variance of the Laplacian / 100), 0..1. */
  sharpness: number;
  /** Share of the aligned face that lies inside the picture, 0..1. */
  margin: number;
}

/** Measures of the aligned face and its landmarks, known before recognition. */
export interface PictureQuality extends LumaQuality {
  /** Shorter side of the box, in pixels of the picture. */
  size: number;
  pose: Pose;
}

/** All measures of a face's quality. */
export interface FaceQuality extends PictureQuality {
  /** L2 norm of the embedding before it is normalised. */
  embeddingNorm: number;
  /** 0..1; computed from the others by quality-score.ts. */
  score: number;
}

/** Rec. 601 luma of 8-bit sRGB, in 14 bits of fixed point as in OpenCV's conversion to grey. */
const RED = 4899;
const GREEN = 9617;
const BLUE = 1868;
const LUMA_BITS = 14;
const LUMA_HALF = 1 << (LUMA_BITS - 1);

/** The variance of the Laplacian at which sharpness is 1 − 1/e, in squared grey levels. */
export const SHARPNESS_SCALE = 100;

/**
 * Measures an aligned face. Its pixels outside the picture are black and count for `margin` only: they would make the face
 * darker and its border sharper.
 *
 * @param face its place in the picture.
 * @param picture the sizes at which it was decoded and encoded.
 */
export function measureQuality(
  { pixels, size, transform }: AlignedFace,
  face: { box: BoundingBox; landmarks: Landmarks },
  picture: Omit<Picture, 'data'>,
): PictureQuality {
  const { margin, ...luma } = measureLuma({ pixels, size }, markInside(transform, size, picture));
  return {
    ...luma,
    size:
      Math.min(face.box.right - face.box.left, face.box.bottom - face.box.top) *
      (picture.original.width / picture.width),
    pose: estimatePose(face.landmarks),
    margin,
  };
}

/** @param inside 1 for each pixel that counts, else 0; all count without it. */
export function measureLuma(
  { pixels, size }: Pick<AlignedFace, 'pixels' | 'size'>,
  inside?: Uint8Array,
): LumaQuality {
  const grey = greyLevels(pixels);
  const { mean, variance, share } = lumaOf(grey, inside);
  return {
    brightness: mean / 255,
    contrast: Math.sqrt(variance) / 255,
    sharpness: 1 - Math.exp(-laplacianVariance(grey, inside, size) / SHARPNESS_SCALE),
    margin: share,
  };
}

function greyLevels(pixels: Uint8Array): Uint8Array {
  const grey = new Uint8Array(pixels.length / 3);
  for (let i = 0, pixel = 0; i < grey.length; i++, pixel += 3) {
    const sum =
      RED * (pixels[pixel] as number) +
      GREEN * (pixels[pixel + 1] as number) +
      BLUE * (pixels[pixel + 2] as number);
    grey[i] = (sum + LUMA_HALF) >> LUMA_BITS;
  }
  return grey;
}

/**
 * @returns 1 for each pixel of the aligned face whose centre falls on a pixel of the picture, else 0; undefined if all do.
 */
function markInside(
  transform: SimilarityTransform,
  size: number,
  { width, height }: { width: number; height: number },
): Uint8Array | undefined {
  const { a, b, tx, ty } = invertSimilarity(transform);
  const isInside = (x: number, y: number) => {
    const sx = a * x - b * y + tx;
    const sy = b * x + a * y + ty;
    return sx >= -0.5 && sx < width - 0.5 && sy >= -0.5 && sy < height - 0.5;
  };
  // A picture is convex: if all four corners are inside, so is everything between them.
  const last = size - 1;
  if (isInside(0, 0) && isInside(last, 0) && isInside(0, last) && isInside(last, last)) return undefined;
  const inside = new Uint8Array(size * size);
  for (let y = 0, i = 0; y < size; y++) {
    for (let x = 0; x < size; x++, i++) inside[i] = isInside(x, y) ? 1 : 0;
  }
  return inside;
}

function lumaOf(
  grey: Uint8Array,
  inside: Uint8Array | undefined,
): { mean: number; variance: number; share: number } {
  const counts = new Int32Array(256);
  for (let i = 0; i < grey.length; i++) {
    const level = grey[i] as number;
    counts[level] = (counts[level] as number) + (inside ? (inside[i] as number) : 1);
  }
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (let level = 0; level < 256; level++) {
    const times = counts[level] as number;
    count += times;
    sum += times * level;
    squares += times * level * level;
  }
  return { ...meanAndVariance(count, sum, squares), share: count / grey.length };
}

/**
 * The variance of the Laplacian, a measure of fine structure (Pech-Pacheco et al., "Diatom autofocusing in brightfield
 * microscopy", 2000). Four neighbours, as in OpenCV with ksize = 1; only pixels with all four inside count.
 */
function laplacianVariance(grey: Uint8Array, inside: Uint8Array | undefined, size: number): number {
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (let y = 1; y < size - 1; y++) {
    for (let x = 1, i = y * size + 1; x < size - 1; x++, i++) {
      // If all four neighbours are inside, so is the pixel between them.
      if (inside && !(inside[i - 1] && inside[i + 1] && inside[i - size] && inside[i + size])) continue;
      const laplacian =
        (grey[i - 1] as number) +
        (grey[i + 1] as number) +
        (grey[i - size] as number) +
        (grey[i + size] as number) -
        4 * (grey[i] as number);
      count++;
      sum += laplacian;
      squares += laplacian * laplacian;
    }
  }
  return meanAndVariance(count, sum, squares).variance;
}

/** Both are zero for a count of zero. The sums are whole numbers, which a double holds exactly. */
function meanAndVariance(count: number, sum: number, squares: number): { mean: number; variance: number } {
  if (count === 0) return { mean: 0, variance: 0 };
  const mean = sum / count;
  return { mean, variance: Math.max(0, squares / count - mean * mean) };
}
