import type { BoundingBox } from '../../src/vision/detect/face.ts';

/** Intersection over union, 0..1. */
export function overlap(p: BoundingBox, q: BoundingBox): number {
  const width = Math.max(0, Math.min(p.right, q.right) - Math.max(p.left, q.left));
  const height = Math.max(0, Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top));
  return (width * height) / (area(p) + area(q) - width * height);
}

const area = ({ left, top, right, bottom }: BoundingBox) => (right - left) * (bottom - top);
