/** Nearest-rank percentile, 0 < p <= 100; undefined of nothing. */
export function percentile(values, p) {
  if (values.length === 0) return undefined;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)];
}

/** The middle value, or the mean of the middle two; undefined of nothing. */
export function median(values) {
  if (values.length === 0) return undefined;
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median and spread; undefined of nothing. */
export function summarise(values) {
  if (values.length === 0) return undefined;
  return {
    median: median(values),
    low: percentile(values, 10),
    high: percentile(values, 90),
    count: values.length,
  };
}

/** Ratios of values measured side by side: noise that hits both of a pair cancels out. */
export function ratiosOfPairs(values, references) {
  const pairs = Math.min(values.length, references.length);
  return Array.from({ length: pairs }, (_, i) => values[i] / references[i]).filter(Number.isFinite);
}

/** A percentile is told only when enough answers lie beyond it to mean something. */
export function summariseLatencies(ms) {
  return {
    count: ms.length,
    p50: percentile(ms, 50),
    p95: ms.length >= 20 ? percentile(ms, 95) : undefined,
    p99: ms.length >= 100 ? percentile(ms, 99) : undefined,
    max: percentile(ms, 100),
  };
}

/** Of the angle between two vectors. */
export function cosine(a, b) {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return dot / Math.sqrt(aa * bb);
}
