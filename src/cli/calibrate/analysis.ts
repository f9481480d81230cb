import type { QualityMeasure, ScoredPair, ScoredPairs } from './scored-pairs.ts';
import { type BootstrapIntervals, bootstrapOverPeople } from './statistics/bootstrap.ts';
import { type Evidence, evidenceFor, lowestRate } from './statistics/evidence.ts';
import type { Interval } from './statistics/intervals.ts';
import {
  bestAccuracy,
  equalErrorRate,
  type Rates,
  type RocPoint,
  ratesAt,
  rocPoints,
  type ThresholdRange,
  thresholdAtFar,
  thresholdsOfMetrics,
} from './statistics/operating-points.ts';
import { type DiscardCurve, errorVersusDiscard } from './statistics/quality.ts';
import { type Metric, type Scores, sortScores } from './statistics/scores.ts';

/** Target false accept rates, descending. */
const FARS = [0.1, 0.01, 0.001, 0.0001];

/** A curve of more points looks the same. */
const MAX_ROC_POINTS = 2_000;
const MAX_LOW_STEPS = 200;
/** Pairs to review: wrong labels are found among them. */
const PAIRS_TO_REVIEW = 10;

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

/** A pair as the report lists it. */
export interface ReviewPair {
  image_a: string;
  image_b: string;
  distance: number;
  quality: number;
}

/** All figures of the report, with the names of report.json. */
export interface Figures {
  genuine_pairs: number;
  impostor_pairs: number;
  people: number;
  lowest_far: number;
  operating_points: OperatingPoint[];
  /** Undefined if the nearest pair of all is an impostor pair. */
  no_false_accept: RatedThreshold | undefined;
  equal_error_rate: RatedThreshold & { rate: number };
  best_accuracy: RatedThreshold & { accuracy: number };
  roc: RocPoint[];
  /** Without a curve if there are too few genuine pairs. */
  quality: { measure: QualityMeasure; curve: DiscardCurve | undefined };
  look_at: { impostors: ReviewPair[]; genuine: ReviewPair[] };
}

/**
 * Computes all figures of the report.
 *
 * @param scored at least one pair of each class.
 * @param seed of the bootstrap.
 */
export function analyse({ pairs, people, quality }: ScoredPairs, seed: number): Figures {
  const scores = sortScores(pairs);
  const rated = (range: ThresholdRange) => rateThreshold(range, scores);
  const noFalseAccept = thresholdAtFar(scores, 0);
  const { rate, ...equalError } = equalErrorRate(scores);
  const { accuracy, ...best } = bestAccuracy(scores);
  const supported = FARS.filter((far) => evidenceFor(far, scores.impostor.length).rule).reverse();
  const intervals = bootstrapOverPeople(pairs, people, supported, seed);
  return {
    genuine_pairs: scores.genuine.length,
    impostor_pairs: scores.impostor.length,
    people,
    lowest_far: lowestRate(scores.impostor.length),
    operating_points: FARS.map((far) => operatingPoint(far, scores, intervals?.[supported.indexOf(far)])),
    no_false_accept: noFalseAccept && rated(noFalseAccept),
    equal_error_rate: { rate, ...rated(equalError) },
    best_accuracy: { accuracy, ...rated(best) },
    roc: thin(rocPoints(scores)),
    quality: { measure: quality, curve: errorVersusDiscard(pairs.filter(({ same }) => same)) },
    look_at: { impostors: mostDoubtful(pairs, false), genuine: mostDoubtful(pairs, true) },
  };
}

function operatingPoint(
  target: number,
  scores: Scores,
  intervals: BootstrapIntervals | undefined,
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

function rateThreshold(range: ThresholdRange, scores: Scores): RatedThreshold {
  return { thresholds: thresholdsOfMetrics(range), ...ratesAt(scores, range.low) };
}

/** Keeps evenly spaced points, and every step at the lowest rates, which a logarithmic axis stretches. */
function thin(points: RocPoint[]): RocPoint[] {
  const step = Math.max(1, points.length / MAX_ROC_POINTS);
  const kept = new Set(
    Array.from({ length: Math.ceil(points.length / step) }, (_, i) => Math.floor(i * step)),
  );
  const steps = [...points.keys()].filter((i) => i > 0 && points[i]?.far !== points[i - 1]?.far);
  // The point before a step has the highest TAR without one more false accept.
  for (const index of steps.slice(0, MAX_LOW_STEPS)) kept.add(index - 1).add(index);
  kept.add(points.length - 1);
  return points.filter((_, index) => kept.has(index));
}

/** The nearest impostor pairs, or the most distant genuine pairs. */
function mostDoubtful(pairs: ScoredPair[], same: boolean): ReviewPair[] {
  return pairs
    .filter((pair) => pair.same === same)
    .sort((p, q) => (same ? q.distance - p.distance : p.distance - q.distance))
    .slice(0, PAIRS_TO_REVIEW)
    .map(({ a, b, distance, quality }) => ({ image_a: a, image_b: b, distance, quality }));
}
