/**
 * The indexes of the smallest distances, smallest first, ties in their order.
 *
 * Candidates are collected, and cut back to the best whenever there are twice as many as wanted, so that finding a few among
 * thousands takes little more than one pass: n · log(count) steps at worst.
 *
 * @param count how many are wanted, at least 1.
 */
export function findNearest(distances: Float64Array, count: number): number[] {
  const byDistance = (a: number, b: number) => (distances[a] as number) - (distances[b] as number) || a - b;
  const cutBack = (candidates: number[]) => candidates.sort(byDistance).slice(0, count);
  let nearest: number[] = [];
  let bound = Number.POSITIVE_INFINITY;
  for (let index = 0; index < distances.length; index++) {
    // Of equal distances, the earlier one ranks first.
    if (!((distances[index] as number) < bound)) continue;
    nearest.push(index);
    if (nearest.length === 2 * count) {
      nearest = cutBack(nearest);
      bound = distances[nearest[count - 1] as number] as number;
    }
  }
  return cutBack(nearest);
}
