import type { BoundingBox } from './face.ts';

/** Overlap above which the lower-scored of two candidates is dropped. Source: insightface, model_zoo/scrfd.py. */
const NMS_IOU = 0.4;

/**
 * Greedy non-maximum suppression with the "+ 1 pixel" convention of InsightFace (a box from 3 to 3 is one pixel wide).
 *
 * @param candidates best score first.
 * @param limit maximum candidates that are kept; after that, no more are looked at.
 * @returns the candidates that overlap no better kept one by more than 0.4, in the same order.
 */
export function suppressOverlaps<T extends { box: BoundingBox }>(
  candidates: readonly T[],
  limit: number,
): T[] {
  const kept: T[] = [];
  // The boxes of those kept, and their areas: with a low threshold there are thousands, and each is compared with each.
  const boxes = new Float64Array(Math.min(limit, candidates.length) * BOX_VALUES);
  for (const candidate of candidates) {
    if (kept.length === limit) break;
    const { box } = candidate;
    if (overlapsAny(box, boxes, kept.length)) continue;
    boxes.set([box.left, box.top, box.right, box.bottom, areaPlusOne(box)], kept.length * BOX_VALUES);
    kept.push(candidate);
  }
  return kept;
}

/** Left, top, right, bottom, area. */
const BOX_VALUES = 5;

function overlapsAny(box: BoundingBox, boxes: Float64Array, count: number): boolean {
  const { left, top, right, bottom } = box;
  const area = areaPlusOne(box);
  for (let at = 0; at < count * BOX_VALUES; at += BOX_VALUES) {
    const width = Math.min(boxes[at + 2] as number, right) - Math.max(boxes[at] as number, left) + 1;
    if (width <= 0) continue;
    const height = Math.min(boxes[at + 3] as number, bottom) - Math.max(boxes[at + 1] as number, top) + 1;
    if (height <= 0) continue;
    const intersection = width * height;
    // Written so that a box that is not a number overlaps.
    if (!(intersection / ((boxes[at + 4] as number) + area - intersection) <= NMS_IOU)) return true;
  }
  return false;
}

function areaPlusOne({ left, top, right, bottom }: BoundingBox): number {
  return (right - left + 1) * (bottom - top + 1);
}
