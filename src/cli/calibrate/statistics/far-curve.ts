import type { CurvePoint } from '../../../packs/thresholds.ts';
import { MIN_PEOPLE, type PersonScore } from './bootstrap.ts';
import { DyadCounts } from './dyads.ts';
import { predictionInterval } from './intervals.ts';

/** False accepts that an estimate needs: the rule of 3 (evidence.ts), in independent pairs. */
const MIN_ACCEPTS = 3;
/** So many accepts are all points; further points are evenly spaced on a logarithmic axis. */
const DENSE_ACCEPTS = 8;
const SPACED_POINTS = 100;

/** Digits of a score, and significant digits of a rate. */
const SCORE_STEP = 1e-7;
const RATE_DIGITS = 6;

/** A point with what its interval is computed from. */
interface Step {
  score: number;
  rate: number;
  effective: number;
}

/**
 * The false accept rate over the similarity, with 95 % prediction intervals: the share that another group of as many people
 * would show. A confidence interval of the mean would promise more than an operator sees, since his people are not the mean.
 *
 * Where fewer than three independent pairs are accepted, a point has `high` only.
 *
 * @param people how many there are.
 * @param fars rates that get a point of their own, so that the curve agrees with the thresholds at them.
 * @returns undefined with too few people or pairs.
 */
export function measureFarCurve(
  pairs: readonly PersonScore[],
  people: number,
  fars: readonly number[],
): CurvePoint[] | undefined {
  const impostors = pairs.filter(({ same }) => !same).sort((a, b) => a.distance - b.distance);
  if (people < MIN_PEOPLE || impostors.length < MIN_ACCEPTS) return undefined;
  const steps = stepsOf(impostors, people, fars);
  // The last of those with too few accepts; the effective number need not rise with every accept.
  const edge = steps.findLastIndex(({ rate, effective }) => rate * effective < MIN_ACCEPTS) + 1;
  if (edge === steps.length) return undefined;
  const atEdge = (steps[edge] as Step).effective;
  const points = steps.map(({ score, rate, effective }, index) => {
    // From a handful of accepts one does not see that they share a person.
    const [low, high] = predictionInterval(rate, index < edge ? Math.min(effective, atEdge) : effective);
    return index < edge ? { score, high } : { score, far: rate, low, high };
  });
  return makeMonotone(points);
}

/** Nearest first. The first accepts nothing. */
function stepsOf(
  impostors: readonly PersonScore[],
  people: number,
  fars: readonly number[],
): [Step, ...Step[]] {
  const counts = new DyadCounts(impostors, people);
  const nearest = similarityOf(impostors[0] as PersonScore);
  const none = { rate: 0, effective: impostors.length };
  const steps: [Step, ...Step[]] = [
    { score: Math.min(1, (Math.floor(nearest / SCORE_STEP) + 1) * SCORE_STEP), ...none },
  ];
  let next = 0;
  for (const wanted of wantedAccepts(impostors.length, fars)) {
    if (wanted <= next) continue;
    const score = Math.max(
      0,
      Math.floor(similarityOf(impostors[wanted - 1] as PersonScore) / SCORE_STEP) * SCORE_STEP,
    );
    for (; next < impostors.length && similarityOf(impostors[next] as PersonScore) >= score; next++) {
      counts.addError(impostors[next] as PersonScore);
    }
    const last = steps.at(-1) as Step;
    if (score < last.score) {
      steps.push({ score, rate: counts.rate, effective: counts.effectiveTrials });
    }
  }
  return steps;
}

/** As `/v1/compare` computes it. */
const similarityOf = ({ distance }: PersonScore) => 1 - distance / 2;

/** Numbers of accepted pairs at which there are points, ascending. */
function wantedAccepts(pairs: number, fars: readonly number[]): number[] {
  const wanted = new Set(fars.map((far) => Math.floor(far * pairs + 1e-9)));
  for (let accepts = 1; accepts <= Math.min(DENSE_ACCEPTS, pairs); accepts++) wanted.add(accepts);
  const ratio = pairs / DENSE_ACCEPTS;
  for (let i = 1; i <= SPACED_POINTS; i++) {
    wanted.add(Math.min(pairs, Math.round(DENSE_ACCEPTS * ratio ** (i / SPACED_POINTS))));
  }
  return [...wanted].filter((accepts) => accepts > 0 && accepts <= pairs).sort((a, b) => a - b);
}

/** Widens intervals where they would shrink towards farther pairs, and rounds. */
function makeMonotone(points: readonly CurvePoint[]): CurvePoint[] {
  let highest = 0;
  const widened = points.map((point) => {
    highest = Math.max(highest, point.high);
    return { ...point, high: highest };
  });
  let lowest = 1;
  return widened
    .toReversed()
    .map(({ score, far, low, high }) => {
      const point = { score: Number(score.toFixed(7)), high: round(high) };
      if (far === undefined || low === undefined) return point;
      lowest = Math.min(lowest, low);
      return { score: point.score, far: round(far), low: round(lowest), high: point.high };
    })
    .toReversed();
}

const round = (rate: number) => Number(rate.toPrecision(RATE_DIGITS));
