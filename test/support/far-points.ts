import type { FarPoint } from '../../src/similarity/far-curve.ts';

/** A measured curve with round numbers. */
export const FAR_POINTS: FarPoint[] = [
  { score: 0.8, high: 0.001 },
  { score: 0.7, far: 0.001, low: 0.0005, high: 0.002 },
  { score: 0.6, far: 0.01, low: 0.008, high: 0.013 },
  { score: 0.5, far: 0.1, low: 0.09, high: 0.11 },
  { score: 0.2, far: 1, low: 0.99, high: 1 },
];
