import type { Letterbox } from './letterbox.ts';

/** Quarter turns that change a picture. */
export const TURNED_VIEWS = 3;

/**
 * Turns what a letterbox shows by one, two and three quarters clockwise.
 *
 * @param views 3 × 3·size × size numbers: of each channel the three views one below the other. One run of a detector on all of
 *   them takes two thirds of the time of three runs. A face at the edge has a part of another view beside it.
 */
export function drawTurnedViews({ input, size }: Letterbox, views: Float32Array): void {
  const area = size * size;
  const last = size - 1;
  for (let channel = 0; channel < 3; channel++) {
    const from = channel * area;
    const quarter = TURNED_VIEWS * from;
    const half = quarter + area;
    const threeQuarters = half + area;
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const value = input[from + y * size + x] as number;
        views[quarter + x * size + last - y] = value;
        views[half + (last - y) * size + last - x] = value;
        views[threeQuarters + (last - x) * size + y] = value;
      }
    }
  }
}

/** @param maps scores of all anchors for each stride, row by row. @returns the highest score in each view. */
export function highestInViews(maps: readonly Float32Array[]): [number, number, number] {
  const highest: [number, number, number] = [0, 0, 0];
  for (const scores of maps) {
    const length = scores.length / TURNED_VIEWS;
    for (let view = 0; view < TURNED_VIEWS; view++) {
      let best = highest[view] as number;
      for (let i = view * length; i < (view + 1) * length; i++) best = Math.max(best, scores[i] as number);
      highest[view] = best;
    }
  }
  return highest;
}
