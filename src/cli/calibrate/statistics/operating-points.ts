import { type Share, shareOf } from './intervals.ts';
import { countAtMost, countBelow, METRICS, type Metric, type Scores } from './scores.ts';

const MIN_DECIMALS = 4;
const MAX_DECIMALS = 12;

/** Every threshold from `low`, which is a measured distance, to below `high` decides every measured pair alike. */
export interface ThresholdRange {
  low: number;
  high: number;
}

export interface Rates {
  far: Share;
  tar: Share;
}

/**
 * The loosest threshold whose false accept rate is at most `far`. A pair matches if its distance is at most the
 * threshold, so tied impostors are accepted together or not at all.
 *
 * @returns undefined if every threshold that accepts anything accepts too many impostors.
 */
export function thresholdAtFar({ genuine, impostor }: Scores, far: number): ThresholdRange | undefined {
  // 0.29 * 100 is slightly below 29 in floating point.
  const accepted = Math.floor(far * impostor.length + 1e-9);
  const high = impostor[accepted] ?? Number.POSITIVE_INFINITY;
  const low = Math.max(lastBelow(genuine, high), lastBelow(impostor, high));
  return low === Number.NEGATIVE_INFINITY ? undefined : { low, high };
}

/** FAR and TAR at a threshold, with 95 % Wilson intervals. */
export function ratesAt({ genuine, impostor }: Scores, threshold: number): Rates {
  return {
    far: shareOf(countAtMost(impostor, threshold), impostor.length),
    tar: shareOf(countAtMost(genuine, threshold), genuine.length),
  };
}

/** For each metric, the threshold with the fewest decimals in the range. */
export function thresholdsOfMetrics({ low, high }: ThresholdRange): Record<Metric, number> {
  const inMetric = (metric: Metric) => {
    const { fromCosine } = METRICS[metric];
    return shortestBetween(fromCosine(low), fromCosine(high));
  };
  return { cosine: inMetric('cosine'), euclidean: inMetric('euclidean'), similarity: inMetric('similarity') };
}

/** The value with the fewest decimals from `from` (included) to `to` (excluded), in either direction. */
function shortestBetween(from: number, to: number): number {
  const round = to > from ? Math.ceil : Math.floor;
  for (let decimals = MIN_DECIMALS; decimals <= MAX_DECIMALS; decimals++) {
    const value = Number((round(from * 10 ** decimals) / 10 ** decimals).toFixed(decimals));
    const isInside = to > from ? value >= from && value < to : value <= from && value > to;
    if (isInside) return value;
  }
  return from;
}

/** The threshold at which the false accept rate and the false reject rate are equal or nearest; `rate` is their mean. */
export function equalErrorRate(scores: Scores): ThresholdRange & { rate: number } {
  const { low, high, rates } = bestThreshold(scores, (at) => -Math.abs(at.far.rate - (1 - at.tar.rate)));
  return { rate: (rates.far.rate + 1 - rates.tar.rate) / 2, low, high };
}

/** The threshold with the highest share of pairs decided correctly. */
export function bestAccuracy(scores: Scores): ThresholdRange & { accuracy: number } {
  const accuracy = ({ far, tar }: Rates) => (tar.count + far.of - far.count) / (tar.of + far.of);
  const { low, high, rates } = bestThreshold(scores, accuracy);
  return { accuracy: accuracy(rates), low, high };
}

/** The lowest threshold with the highest merit. */
function bestThreshold(scores: Scores, meritOf: (rates: Rates) => number): ThresholdRange & { rates: Rates } {
  const thresholds = distinctDistances(scores);
  let best = { merit: Number.NEGATIVE_INFINITY, index: 0 };
  for (const [index, threshold] of thresholds.entries()) {
    const merit = meritOf(ratesAt(scores, threshold));
    if (merit > best.merit) best = { merit, index };
  }
  const low = thresholds[best.index] as number;
  const high = thresholds[best.index + 1] ?? Number.POSITIVE_INFINITY;
  return { low, high, rates: ratesAt(scores, low) };
}

export interface RocPoint {
  far: number;
  tar: number;
  /** Absent where nothing is accepted. */
  threshold?: number;
}

/** FAR and TAR, 0..1, at every measured distance, after a threshold that accepts nothing. */
export function rocPoints(scores: Scores): RocPoint[] {
  const { genuine, impostor } = scores;
  const points = distinctDistances(scores).map((threshold) => ({
    threshold,
    far: countAtMost(impostor, threshold) / impostor.length,
    tar: countAtMost(genuine, threshold) / genuine.length,
  }));
  return [{ far: 0, tar: 0 }, ...points];
}

function distinctDistances({ genuine, impostor }: Scores): number[] {
  return [...new Set([...genuine, ...impostor])].sort((a, b) => a - b);
}

function lastBelow(sorted: Float64Array, limit: number): number {
  return sorted[countBelow(sorted, limit) - 1] ?? Number.NEGATIVE_INFINITY;
}
