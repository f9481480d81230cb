import { bootstrapOverPeople } from './statistics/bootstrap.ts';
import { evidenceFor, lowestRate } from './statistics/evidence.ts';
import {
  bestAccuracy,
  equalErrorRate,
  ratesAt,
  rocPoints,
  thresholdAtFar,
  thresholdsOfMetrics,
} from './statistics/operating-points.ts';
import { errorVersusDiscard } from './statistics/quality.ts';
import { sortScores } from './statistics/scores.ts';

/** The false accept rates that are asked for; descending. */
export const FARS = [0.1, 0.01, 0.001, 0.0001];

/** A curve of more points looks the same. */
const MOST_ROC_POINTS = 2_000;
const MOST_LOW_STEPS = 200;
/** Pairs worth a look: wrong labels are found among them. */
const PAIRS_TO_LOOK_AT = 10;

/**
 * All figures of the report, as numbers.
 *
 * @param scored of scorePairs, with at least one pair of each class. @param seed of the intervals.
 */
export function analyse({ pairs, people, quality }, seed) {
  const scores = sortScores(pairs);
  const carried = FARS.filter((far) => evidenceFor(far, scores.impostor.length).rule);
  const ascending = [...carried].reverse();
  const intervals = bootstrapOverPeople(pairs, people, ascending, seed);
  const eer = equalErrorRate(scores);
  const accuracy = bestAccuracy(scores);
  const genuine = pairs.filter(({ same }) => same);
  return {
    genuine_pairs: scores.genuine.length,
    impostor_pairs: scores.impostor.length,
    people,
    lowest_far: lowestRate(scores.impostor.length),
    operating_points: FARS.map((far) => operatingPoint(far, scores, intervals?.[ascending.indexOf(far)])),
    no_false_accept: withThresholds(thresholdAtFar(scores, 0), scores),
    equal_error_rate: { rate: eer.rate, ...withThresholds(eer, scores) },
    best_accuracy: { accuracy: accuracy.accuracy, ...withThresholds(accuracy, scores) },
    roc: thin(rocPoints(scores)),
    quality: { measure: quality, curve: errorVersusDiscard(genuine) },
    look_at: { impostors: nearest(pairs, false), genuine: nearest(pairs, true) },
  };
}

function operatingPoint(target, scores, intervals) {
  const evidence = evidenceFor(target, scores.impostor.length);
  const point = evidence.rule && withThresholds(thresholdAtFar(scores, target), scores);
  return {
    target,
    evidence,
    ...point,
    ...(point && intervals && { threshold_interval: intervals.threshold, tar_bootstrap: intervals.tar }),
  };
}

/** Undefined where no threshold is meant. */
function withThresholds(bounds, scores) {
  if (bounds === undefined) return undefined;
  return { thresholds: thresholdsOfMetrics(bounds), ...ratesAt(scores, bounds.low) };
}

/** Evenly fewer points; but the steps at the lowest rates stay, of which the curve on a logarithmic axis is made. */
function thin(points) {
  const step = Math.max(1, points.length / MOST_ROC_POINTS);
  const kept = new Set(
    Array.from({ length: Math.ceil(points.length / step) }, (_, i) => Math.floor(i * step)),
  );
  const steps = [...points.keys()].filter((i) => i > 0 && points[i].far !== points[i - 1].far);
  // With the point before: the most that is accepted without one more false accept.
  for (const index of steps.slice(0, MOST_LOW_STEPS)) kept.add(index - 1).add(index);
  kept.add(points.length - 1);
  return points.filter((_, index) => kept.has(index));
}

/** The pairs on the wrong end: impostors that are near, or genuine pairs that are far apart. */
function nearest(pairs, same) {
  return pairs
    .filter((pair) => pair.same === same)
    .sort((p, q) => (same ? q.distance - p.distance : p.distance - q.distance))
    .slice(0, PAIRS_TO_LOOK_AT)
    .map(({ a, b, distance, quality }) => ({ image_a: a, image_b: b, distance, quality }));
}
