/** A median with the 10th and the 90th percentile around it. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

export interface Summary extends Spread {
  /** How many values were summarised. */
  count: number;
}

/** Latencies in milliseconds. A percentile is undefined when too few answers lie beyond it. */
export interface LatencySummary {
  count: number;
  p50: number | undefined;
  p95: number | undefined;
  p99: number | undefined;
  max: number | undefined;
}

/** Nearest-rank percentile, 0 < p <= 100; undefined for an empty list. */
export function percentile(values: readonly number[], p: number): number | undefined {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)];
}

/** The middle value, or the mean of the middle two; undefined for an empty list. */
export function median(values: readonly number[]): number | undefined {
  const sorted = Float64Array.from(values).sort();
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}

/** Undefined for an empty list. */
export function summarise(values: readonly number[]): Summary | undefined {
  const [middle, low, high] = [median(values), percentile(values, 10), percentile(values, 90)];
  if (middle === undefined || low === undefined || high === undefined) return undefined;
  return { median: middle, low, high, count: values.length };
}

/**
 * Ratios of values that were measured as pairs: a disturbance that hits both values of a pair cancels out. A pair with
 * a missing value is left out.
 */
export function ratiosOfPairs(
  values: readonly (number | undefined)[],
  references: readonly (number | undefined)[],
): number[] {
  return values
    .map((value, i) => (value ?? Number.NaN) / (references[i] ?? Number.NaN))
    .filter(Number.isFinite);
}

export function summariseLatencies(ms: readonly number[]): LatencySummary {
  return {
    count: ms.length,
    p50: percentile(ms, 50),
    p95: ms.length >= 20 ? percentile(ms, 95) : undefined,
    p99: ms.length >= 100 ? percentile(ms, 99) : undefined,
    max: percentile(ms, 100),
  };
}

/** Cosine similarity of two vectors of one length. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return dot / Math.sqrt(aa * bb);
}
