import type { BootstrapIntervals } from './statistics/bootstrap.ts';
import { type Evidence, evidenceFor } from './statistics/evidence.ts';
import type { Interval } from './statistics/intervals.ts';
import {
  type Rates,
  ratesAt,
  type ThresholdRange,
  thresholdAtFar,
  thresholdsOfMetrics,
} from './statistics/operating-points.ts';
import type { Metric, Scores } from './statistics/scores.ts';

/** A threshold in each metric, and the rates measured with it. */
export interface RatedThreshold extends Rates {
  thresholds: Record<Metric, number>;
}

/** Without a threshold if there is too little evidence, or if no threshold reaches the target. */
export interface OperatingPoint extends Partial<RatedThreshold> {
  target: number;
  evidence: Evidence;
  /** 95 % interval of the cosine threshold. */
  threshold_interval?: Interval;
  tar_bootstrap?: Interval;
}

export type MeasuredPoint = OperatingPoint & RatedThreshold;

export function isMeasured(point: OperatingPoint): point is MeasuredPoint {
  return point.thresholds !== undefined;
}

/** The threshold at a target rate, if the pairs can show it. */
export function operatingPoint(
  target: number,
  scores: Scores,
  intervals?: BootstrapIntervals,
): OperatingPoint {
  const evidence = evidenceFor(target, scores.impostor.length);
  const range = evidence.rule && thresholdAtFar(scores, target);
  if (range === undefined) return { target, evidence };
  return {
    target,
    evidence,
    ...rateThreshold(range, scores),
    ...(intervals && { threshold_interval: intervals.threshold, tar_bootstrap: intervals.tar }),
  };
}

/** The thresholds of a range, and their rates. */
export function rateThreshold(range: ThresholdRange, scores: Scores): RatedThreshold {
  return { thresholds: thresholdsOfMetrics(range), ...ratesAt(scores, range.low) };
}
