import type { PersonScore } from '../../src/cli/calibrate/statistics/bootstrap.ts';
import { DyadCounts } from '../../src/cli/calibrate/statistics/dyads.ts';
import { measureFarCurve } from '../../src/cli/calibrate/statistics/far-curve.ts';
import { type Interval, wilsonInterval } from '../../src/cli/calibrate/statistics/intervals.ts';
import { seededRandom } from '../../src/cli/calibrate/statistics/seeded-random.ts';
import { FarCurve } from '../../src/similarity/far-curve.ts';
import { type Distances, type People, shuffled } from './people.ts';

/** Ways to compute a 95 % interval, from the usual one to that of the service. */
export const METHODS = {
  wilson: 'Wilson, pairs taken as independent',
  bootstrap: 'bootstrap over people, percentiles',
  confidence: 'people accounted for, interval of the mean',
  prediction: 'people accounted for, another group (what the service says)',
} as const;

export type Method = keyof typeof METHODS;

export interface Coverage {
  far: number;
  splits: number;
  /** How often the observed rate was inside. */
  inside: Record<Method, number>;
  /** Mean of high / low. */
  width: Record<Method, number>;
  /** Observed rate over the claimed one: mean. */
  bias: number;
}

const REPLICATES = 400;

/**
 * Splits the people at random into two halves, measures a curve on one, and observes the rate of the other at the similarity at
 * which the curve claims a rate.
 */
export function measureCoverage(
  people: People,
  fars: readonly number[],
  splits: number,
  distances: Distances,
): Coverage[] {
  const results = fars.map((far) => ({
    far,
    splits,
    inside: { wilson: 0, bootstrap: 0, confidence: 0, prediction: 0 },
    width: { wilson: 0, bootstrap: 0, confidence: 0, prediction: 0 },
    bias: 0,
  }));
  for (let split = 1; split <= splits; split++) {
    const order = shuffled(people, seededRandom(split));
    const half = Math.floor(order.length / 2);
    const calibrating = distances.impostors(order.slice(0, half));
    const others = distances.impostors(order.slice(half));
    const curve = new FarCurve(measureFarCurve(calibrating, half, fars) ?? []);
    for (const result of results) {
      const score = scoreAt(curve, result.far);
      const isAccepted = ({ distance }: PersonScore) => 1 - distance / 2 >= score;
      const observed = others.filter(isAccepted).length / others.length;
      const { low = 0, high } = curve.at(score);
      const intervals = {
        ...otherIntervals(calibrating, half, isAccepted, split),
        prediction: [low, high] as Interval,
      };
      result.bias += observed / result.far / splits;
      for (const method of Object.keys(METHODS) as Method[]) {
        const [from, to] = intervals[method];
        if (observed >= from && observed <= to) result.inside[method]++;
        result.width[method] += to / from / splits;
      }
    }
  }
  return results;
}

/** The lowest similarity at which the curve claims at most this rate. */
export function scoreAt(curve: FarCurve, far: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    const { estimate = 0 } = curve.at(middle);
    if (estimate <= far) high = middle;
    else low = middle;
  }
  return high;
}

function otherIntervals(
  pairs: readonly PersonScore[],
  people: number,
  isAccepted: (pair: PersonScore) => boolean,
  seed: number,
): Record<Exclude<Method, 'prediction'>, Interval> {
  const counts = new DyadCounts(pairs, people);
  const accepted = pairs.filter(isAccepted);
  for (const pair of accepted) counts.addError(pair);
  const { errors, rate, effectiveTrials } = counts;
  return {
    wilson: wilsonInterval(errors, pairs.length),
    bootstrap: bootstrapRate(pairs, accepted, people, seed),
    confidence: wilsonInterval(rate * effectiveTrials, effectiveTrials),
  };
}

/** A pair counts as often as its two people were drawn, multiplied. */
function bootstrapRate(
  pairs: readonly PersonScore[],
  accepted: readonly PersonScore[],
  people: number,
  seed: number,
): Interval {
  const random = seededRandom(seed + 1_000);
  const rates = Array.from({ length: REPLICATES }, () => {
    const drawn = new Uint32Array(people);
    for (let i = 0; i < people; i++) {
      const person = Math.floor(random() * people);
      drawn[person] = (drawn[person] as number) + 1;
    }
    const weigh = (sum: number, { personA, personB }: PersonScore) =>
      sum + (drawn[personA] as number) * (drawn[personB] as number);
    return accepted.reduce(weigh, 0) / pairs.reduce(weigh, 0);
  }).sort((a, b) => a - b);
  const at = (share: number) => rates[Math.ceil(share * REPLICATES) - 1] as number;
  return [at(0.025), at(0.975)];
}
