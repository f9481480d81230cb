/** Queries compared in one pass over a reference, which saves reading it for each of them. */
const QUERIES_PER_PASS = 4;

/**
 * Writes ‖q − r‖², 0..4, of every query and one reference. Since cos = 1 − ‖q − r‖² / 2, this serves both metrics, and
 * equal vectors have exactly 0, which 1 − q·r does not give. A distance does not depend on what else is compared.
 *
 * @param queries unit vectors, one after the other.
 * @param reference one unit vector.
 * @param distances receives the distance of query i at `first + i * step`.
 */
export function writeSquaredDistances(
  queries: Float64Array,
  reference: Float64Array,
  distances: Float64Array,
  first: number,
  step: number,
): void {
  const { length } = reference;
  const count = queries.length / length;
  let query = 0;
  for (; query + QUERIES_PER_PASS <= count; query += QUERIES_PER_PASS) {
    writeFour(queries, query * length, reference, distances, first + query * step, step);
  }
  for (; query < count; query++) {
    distances[first + query * step] = squaredDistance(queries, query * length, reference);
  }
}

function squaredDistance(queries: Float64Array, at: number, reference: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < reference.length; i++) {
    const difference = (queries[at + i] as number) - (reference[i] as number);
    sum += difference * difference;
  }
  return Math.min(sum, 4);
}

/** The same for four consecutive queries, each summed in the same order. */
function writeFour(
  queries: Float64Array,
  at: number,
  reference: Float64Array,
  distances: Float64Array,
  first: number,
  step: number,
): void {
  const { length } = reference;
  const [atB, atC, atD] = [at + length, at + 2 * length, at + 3 * length];
  let sumA = 0;
  let sumB = 0;
  let sumC = 0;
  let sumD = 0;
  for (let i = 0; i < length; i++) {
    const value = reference[i] as number;
    const a = (queries[at + i] as number) - value;
    const b = (queries[atB + i] as number) - value;
    const c = (queries[atC + i] as number) - value;
    const d = (queries[atD + i] as number) - value;
    sumA += a * a;
    sumB += b * b;
    sumC += c * c;
    sumD += d * d;
  }
  distances[first] = Math.min(sumA, 4);
  distances[first + step] = Math.min(sumB, 4);
  distances[first + 2 * step] = Math.min(sumC, 4);
  distances[first + 3 * step] = Math.min(sumD, 4);
}
