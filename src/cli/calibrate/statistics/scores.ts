// A score is the cosine distance of a pair. The other metrics are the same distance on another scale, so one sorted list
// of distances serves all three.

/**
 * The metrics of `/v1/compare`: cosine distance → value, the values that match, the way the sentence is read. The
 * similarity falls while the distance grows.
 */
export const METRICS = {
  cosine: { label: 'cosine distance', sign: '≤', of: (distance) => distance },
  euclidean: { label: 'euclidean distance', sign: '≤', of: (distance) => Math.sqrt(2 * distance) },
  similarity: { label: 'similarity', sign: '≥', of: (distance) => 1 - distance / 2 },
};

/**
 * Scales to L2 norm 1, as the service does with what it compares (src/similarity/embedding.ts), operation for operation:
 * a threshold that lies on a measured distance must decide there as it did here.
 */
export function toUnit(embedding) {
  const values = Float64Array.from(embedding);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    values[i] /= largest;
    sum += values[i] * values[i];
  }
  const norm = Math.sqrt(sum);
  return values.map((value) => value / norm);
}

/** 1 − cos of two unit vectors, 0..2: half of their squared distance, as src/similarity/compare.ts computes it. */
export function cosineDistance(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i] - b[i];
    sum += difference * difference;
  }
  return Math.min(sum, 4) / 2;
}

/**
 * Sorts the distances of both classes.
 *
 * @param pairs [{distance, same}]
 * @returns {genuine, impostor}: Float64Array each, ascending.
 */
export function sortScores(pairs) {
  const ofClass = (wanted) =>
    Float64Array.from(
      pairs.filter(({ same }) => same === wanted),
      ({ distance }) => distance,
    ).sort();
  return { genuine: ofClass(true), impostor: ofClass(false) };
}

/** How many of the sorted values are at most `limit`. */
export function countAtMost(sorted, limit) {
  return firstIndex(sorted, (value) => value > limit);
}

/** How many of the sorted values are below `limit`. */
export function countBelow(sorted, limit) {
  return firstIndex(sorted, (value) => value >= limit);
}

function firstIndex(sorted, isBeyond) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBeyond(sorted[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}
