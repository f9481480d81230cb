import type { CurvePoint } from '../../packs/thresholds.ts';
import {
  isMeasured,
  type OperatingPoint,
  operatingPoint,
  type RatedThreshold,
  rateThreshold,
} from './operating-point.ts';
import type { QualityMeasure, ScoredPair, ScoredPairs } from './scored-pairs.ts';
import { type SearchFigures, searchFigures } from './search-figures.ts';
import { bootstrapOverPeople } from './statistics/bootstrap.ts';
import { evidenceFor, lowestRate } from './statistics/evidence.ts';
import { measureFarCurve } from './statistics/far-curve.ts';
import { type GroupFigures, ratesOfGroups } from './statistics/groups.ts';
import {
  bestAccuracy,
  equalErrorRate,
  type RocPoint,
  rocPoints,
  type ThresholdRange,
  thresholdAtFar,
} from './statistics/operating-points.ts';
import { type DiscardCurve, errorVersusDiscard } from './statistics/quality.ts';
import { sortScores } from './statistics/scores.ts';

/** Target false accept rates, descending. */
export const FARS = [0.1, 0.01, 0.001, 0.0001];

/** A curve of more points looks the same. */
const MAX_ROC_POINTS = 2_000;
const MAX_LOW_STEPS = 200;
/** Pairs to review: wrong labels are found among them. */
const PAIRS_TO_REVIEW = 10;

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
  /** The rate over the similarity; undefined with too few people. */
  far_curve: CurvePoint[] | undefined;
  /** Thresholds for searches among several numbers of people. */
  search: SearchFigures;
  /** The rates of each group at each threshold; empty unless the pairs name groups. */
  groups: { target: number; threshold: number; groups: GroupFigures[] }[];
  look_at: { impostors: ReviewPair[]; genuine: ReviewPair[] };
}

/**
 * Computes all figures of the report.
 *
 * @param scored at least one pair of each class.
 * @param seed of the bootstrap, and of the galleries that are drawn.
 * @param gallery people of the search that the user asks about.
 */
export function analyse(
  { pairs, people, quality, pictures }: ScoredPairs,
  { seed, gallery }: { seed: number; gallery?: number | undefined },
): Figures {
  const scores = sortScores(pairs);
  const rated = (range: ThresholdRange) => rateThreshold(range, scores);
  const noFalseAccept = thresholdAtFar(scores, 0);
  const { rate, ...equalError } = equalErrorRate(scores);
  const { accuracy, ...best } = bestAccuracy(scores);
  const supported = FARS.filter((far) => evidenceFor(far, scores.impostor.length).rule).reverse();
  const intervals = bootstrapOverPeople(pairs, people, supported, seed);
  const points = FARS.map((far) => operatingPoint(far, scores, intervals?.[supported.indexOf(far)]));
  const curve = measureFarCurve(pairs, people, FARS);
  const pointAt = (far: number) => operatingPoint(far, scores);
  const hasGroups = pairs.some(({ group }) => group !== undefined);
  return {
    genuine_pairs: scores.genuine.length,
    impostor_pairs: scores.impostor.length,
    people,
    lowest_far: lowestRate(scores.impostor.length),
    operating_points: points,
    no_false_accept: noFalseAccept && rated(noFalseAccept),
    equal_error_rate: { rate, ...rated(equalError) },
    best_accuracy: { accuracy, ...rated(best) },
    roc: thin(rocPoints(scores)),
    quality: { measure: quality, curve: errorVersusDiscard(pairs.filter(({ same }) => same)) },
    far_curve: curve,
    search: searchFigures({ gallery, pictures, curve, seed, pointAt }),
    groups: points
      .filter(isMeasured)
      .flatMap(({ target, thresholds: { cosine: threshold } }) =>
        hasGroups ? [{ target, threshold, groups: ratesOfGroups(pairs, people, threshold) }] : [],
      ),
    look_at: { impostors: mostDoubtful(pairs, false), genuine: mostDoubtful(pairs, true) },
  };
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
