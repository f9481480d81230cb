import type { BoundingBox } from './face.ts';

/** Overlap above which the lower-scored of two candidates is dropped. Source: insightface, model_zoo/scrfd.py. */
const NMS_IOU = 0.4;

/**
 * Greedy non-maximum suppression with the "+ 1 pixel" convention of InsightFace (a box from 3 to 3 is one pixel wide).
 *
 * @param candidates best score first.
 * @returns the candidates that overlap no better kept one by more than 0.4, in the same order.
 */
export function suppressOverlaps<T extends { box: BoundingBox }>(candidates: readonly T[]): T[] {
  const kept: T[] = [];
  for (const candidate of candidates) {
    if (kept.every((other) => intersectionOverUnion(other.box, candidate.box) <= NMS_IOU)) {
      kept.push(candidate);
    }
  }
  return kept;
}

function intersectionOverUnion(p: BoundingBox, q: BoundingBox): number {
  const width = Math.min(p.right, q.right) - Math.max(p.left, q.left) + 1;
  const height = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) + 1;
  if (width <= 0 || height <= 0) return 0;
  const intersection = width * height;
  return intersection / (areaPlusOne(p) + areaPlusOne(q) - intersection);
}

function areaPlusOne({ left, top, right, bottom }: BoundingBox): number {
  return (right - left + 1) * (bottom - top + 1);
}
