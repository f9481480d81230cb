import type { MeasuredThreshold, ThresholdsFile } from '../../../packs/thresholds.ts';
import type { Figures } from '../analysis.ts';
import { isMeasured, type MeasuredPoint } from '../operating-point.ts';
import type { Interval } from '../statistics/intervals.ts';
import { METRIC_NAMES, METRICS, type Metric } from '../statistics/scores.ts';
import type { CalibrationReport } from './report.ts';

const DECIMALS = 4;

/** The content of thresholds.json, which the service reads beside a pack: the thresholds with enough evidence. */
export function thresholdsFile({ created, source, model, figures }: CalibrationReport): ThresholdsFile {
  return {
    thresholds_version: 2,
    embedding_space: model.embedding_space,
    created,
    source,
    genuine_pairs: figures.genuine_pairs,
    impostor_pairs: figures.impostor_pairs,
    people: figures.people,
    thresholds: thresholdEntries(figures),
    ...(figures.far_curve && {
      curve: { metric: 'similarity', interval: 'prediction', points: figures.far_curve },
    }),
  };
}

/** The thresholds with enough evidence, in each metric. */
export function thresholdEntries({ operating_points }: Figures): ThresholdsFile['thresholds'] {
  return operating_points
    .filter(isMeasured)
    .flatMap((point) => METRIC_NAMES.map((metric) => entryOf(point, metric)));
}

function entryOf(point: MeasuredPoint, metric: Metric): ThresholdsFile['thresholds'][number] {
  return {
    far: point.target,
    metric,
    threshold: point.thresholds[metric],
    ...(point.threshold_interval && { threshold_interval: intervalIn(metric, point.threshold_interval) }),
    measured_far: point.far.rate,
    measured_far_interval: point.far.interval,
    tar: point.tar.rate,
    tar_interval: point.tar.interval,
    evidence: point.evidence.rule as MeasuredThreshold['evidence'],
  };
}

/** Converts an interval of cosine distances to another metric. */
export function intervalIn(metric: Metric, [low, high]: Interval): Interval {
  const convert = (distance: number) => Number(METRICS[metric].fromCosine(distance).toFixed(DECIMALS));
  const [a, b] = [convert(low), convert(high)];
  return a <= b ? [a, b] : [b, a];
}
