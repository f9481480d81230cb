import { writeSquaredDistances } from '../../../similarity/distances.ts';

// The score of a pair is its cosine distance. The other metrics are the same distance on another scale, so one sorted
// list of distances serves all three.

/** A pair with its cosine distance. */
export interface Score {
  distance: number;
  same: boolean;
}

/** Cosine distances in ascending order, at least one of each class. */
export interface Scores {
  genuine: Float64Array;
  impostor: Float64Array;
}

export type Metric = 'cosine' | 'euclidean' | 'similarity';

/** The metrics of `/v1/compare`: the sign of their thresholds, and the conversion from the cosine distance. */
export const METRICS: Record<
  Metric,
  { label: string; sign: string; fromCosine: (distance: number) => number }
> = {
  cosine: { label: 'cosine distance', sign: '≤', fromCosine: (distance) => distance },
  euclidean: { label: 'euclidean distance', sign: '≤', fromCosine: (distance) => Math.sqrt(2 * distance) },
  similarity: { label: 'similarity', sign: '≥', fromCosine: (distance) => 1 - distance / 2 },
};

export const METRIC_NAMES = Object.keys(METRICS) as Metric[];

/** The cosine distance of two unit vectors, 0..2, computed as `/v1/compare` computes it. */
export function cosineDistance(a: Float64Array, b: Float64Array): number {
  const squared = new Float64Array(1);
  writeSquaredDistances(a, b, squared, 0, 1);
  return (squared[0] as number) / 2;
}

/** Separates and sorts the distances of both classes. */
export function sortScores(pairs: Score[]): Scores {
  const ofClass = (wanted: boolean) =>
    Float64Array.from(
      pairs.filter(({ same }) => same === wanted),
      ({ distance }) => distance,
    ).sort();
  return { genuine: ofClass(true), impostor: ofClass(false) };
}

/** The number of sorted values that are at most `limit`. */
export function countAtMost(sorted: Float64Array, limit: number): number {
  return firstIndex(sorted, (value) => value > limit);
}

/** The number of sorted values that are below `limit`. */
export function countBelow(sorted: Float64Array, limit: number): number {
  return firstIndex(sorted, (value) => value >= limit);
}

function firstIndex(sorted: Float64Array, isBeyond: (value: number) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBeyond(sorted[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}
