/**
 * The indexes of the least distances, least first, ties in their order.
 *
 * Candidates are collected and cut back to the best whenever there are twice as many as wanted, so that a few out of
 * thousands cost little more than one look at each: n · log(most) steps at worst.
 *
 * @param most how many are wanted, at least 1.
 */
export function findNearest(distances: Float64Array, most: number): number[] {
  const byDistance = (a: number, b: number) => (distances[a] as number) - (distances[b] as number) || a - b;
  const cutBack = (candidates: number[]) => candidates.sort(byDistance).slice(0, most);
  let nearest: number[] = [];
  let bound = Number.POSITIVE_INFINITY;
  for (let index = 0; index < distances.length; index++) {
    // An equal distance that comes later is not among them.
    if (!((distances[index] as number) < bound)) continue;
    nearest.push(index);
    if (nearest.length === 2 * most) {
      nearest = cutBack(nearest);
      bound = distances[nearest[most - 1] as number] as number;
    }
  }
  return cutBack(nearest);
}
