import { METRICS } from '../statistics/scores.ts';

const DECIMALS = 4;

/**
 * What the service picks up beside a pack: only thresholds that the data carry. Its schema is in
 * src/packs/thresholds.ts.
 */
export function thresholdsFile({ created, source, model, figures }) {
  return {
    thresholds_version: 1,
    embedding_space: model.embedding_space,
    created,
    source,
    genuine_pairs: figures.genuine_pairs,
    impostor_pairs: figures.impostor_pairs,
    people: figures.people,
    thresholds: figures.operating_points.filter(({ thresholds }) => thresholds).flatMap(entriesOf),
  };
}

function entriesOf(point) {
  return Object.keys(METRICS).map((metric) => ({
    far: point.target,
    metric,
    threshold: point.thresholds[metric],
    ...(point.threshold_interval && {
      threshold_interval: intervalIn(metric, point.threshold_interval),
    }),
    measured_far: point.far.rate,
    measured_far_interval: point.far.interval,
    tar: point.tar.rate,
    tar_interval: point.tar.interval,
    evidence: point.evidence.rule,
  }));
}

/** An interval of cosine distances in another metric. */
export function intervalIn(metric, distances) {
  return distances
    .map((distance) => Number(METRICS[metric].of(distance).toFixed(DECIMALS)))
    .sort((a, b) => a - b);
}
