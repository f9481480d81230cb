import type { BoundingBox } from './face.ts';

/** When two boxes show the same face, which differs between families of detectors. */
export interface OverlapRule {
  /** Intersection over union, 0..1, above which the lower-scored of two candidates is dropped. */
  maxOverlap: number;
  /** What is added to a box's width and height, in pixels: 1 if a box from 3 to 3 is one pixel wide. */
  extra: 0 | 1;
}

/**
 * Greedy non-maximum suppression.
 *
 * @param candidates best score first.
 * @param limit maximum candidates that are kept; after that, no more are looked at.
 * @returns the candidates that overlap no better kept one by more than the rule allows, in the same order.
 */
export function suppressOverlaps<T extends { box: BoundingBox }>(
  candidates: readonly T[],
  limit: number,
  rule: OverlapRule,
): T[] {
  const kept: T[] = [];
  // The boxes of those kept, and their areas: with a low threshold there are thousands, and each is compared with each.
  const boxes = new Float64Array(Math.min(limit, candidates.length) * BOX_VALUES);
  for (const candidate of candidates) {
    if (kept.length === limit) break;
    const { box } = candidate;
    if (overlapsAny(box, boxes, kept.length, rule)) continue;
    boxes.set([box.left, box.top, box.right, box.bottom, areaOf(box, rule)], kept.length * BOX_VALUES);
    kept.push(candidate);
  }
  return kept;
}

/** Left, top, right, bottom, area. */
const BOX_VALUES = 5;

function overlapsAny(
  box: BoundingBox,
  boxes: Float64Array,
  count: number,
  { maxOverlap, extra }: OverlapRule,
): boolean {
  const { left, top, right, bottom } = box;
  const area = areaOf(box, { extra });
  for (let at = 0; at < count * BOX_VALUES; at += BOX_VALUES) {
    const width = Math.min(boxes[at + 2] as number, right) - Math.max(boxes[at] as number, left) + extra;
    if (width <= 0) continue;
    const height = Math.min(boxes[at + 3] as number, bottom) - Math.max(boxes[at + 1] as number, top) + extra;
    if (height <= 0) continue;
    const intersection = width * height;
    // Written so that a box that is not a number overlaps.
    if (!(intersection / ((boxes[at + 4] as number) + area - intersection) <= maxOverlap)) return true;
  }
  return false;
}

function areaOf({ left, top, right, bottom }: BoundingBox, { extra }: Pick<OverlapRule, 'extra'>): number {
  return (right - left + extra) * (bottom - top + extra);
}
