import type { LIVENESS_TARGETS } from '../../../packs/liveness/calibration-file.ts';
import { type Evidence, evidenceFor } from '../statistics/evidence.ts';
import { type Interval, type Share, shareOf } from '../statistics/intervals.ts';

/*
 * Error rates of liveness, in the terms of ISO/IEC 30107-3, Biometric presentation attack detection, Testing and reporting:
 * APCER, the share of attack presentations that are classified as bona fide, for each kind of attack (species), of which the
 * worst counts; and BPCER, the share of bona fide presentations that are classified as attacks. ACER is the mean of both.
 */

/** The error that a threshold is chosen for, and the rate that it may reach. */
export interface Target {
  error: (typeof LIVENESS_TARGETS)[number];
  rate: number;
}

/** Scores in ascending order. */
export interface ScoresByClass {
  live: readonly number[];
  /** At least one kind, each with at least one score. */
  spoofs: ReadonlyMap<string, readonly number[]>;
}

export interface RatesAtThreshold {
  threshold: number;
  /** Of the worst kind. */
  apcer: Share;
  worst_kind: string;
  bpcer: Share;
  acer: { rate: number; interval: Interval };
}

/** The rates when a face is live from a score on. */
export function ratesAt({ live, spoofs }: ScoresByClass, threshold: number): RatesAtThreshold {
  const kinds = [...spoofs].map(([kind, scores]) => ({
    kind,
    share: shareOf(scores.length - countBelow(scores, threshold), scores.length),
  }));
  const worst = kinds.reduce((a, b) => (b.share.rate > a.share.rate ? b : a));
  const bpcer = shareOf(countBelow(live, threshold), live.length);
  return { threshold, apcer: worst.share, worst_kind: worst.kind, bpcer, acer: meanOf(worst.share, bpcer) };
}

function countBelow(scores: readonly number[], threshold: number): number {
  const index = scores.findIndex((score) => score >= threshold);
  return index < 0 ? scores.length : index;
}

/**
 * The mean of two independent shares with its 95 % interval, from theirs. Source: G. Y. Zou, A. Donner, "Construction of confidence
 * limits about effect measures: a general approach", Statistics in Medicine 27 (2008) (MOVER).
 */
function meanOf(a: Share, b: Share): { rate: number; interval: Interval } {
  const rate = (a.rate + b.rate) / 2;
  const side = (end: 0 | 1) => Math.hypot(a.rate - a.interval[end], b.rate - b.interval[end]) / 2;
  return { rate, interval: [Math.max(0, rate - side(0)), Math.min(1, rate + side(1))] };
}

export interface ChosenThreshold {
  target: Target;
  /** What the number of pictures can show about the rate. */
  evidence: Evidence;
  /** Undefined if the pictures are too few to show the rate, or if no threshold reaches it. */
  rates: RatesAtThreshold | undefined;
}

/**
 * Chooses the threshold that keeps one error to a rate, and makes the other as small as that allows; of those with the same, the one
 * with the fewest errors of the first kind. It lies in the middle between the two scores that it separates.
 */
export function chooseThreshold(scores: ScoresByClass, target: Target): ChosenThreshold {
  const smallestKind = Math.min(...[...scores.spoofs.values()].map(({ length }) => length));
  const evidence = evidenceFor(target.rate, target.error === 'apcer' ? smallestKind : scores.live.length);
  const other = target.error === 'apcer' ? 'bpcer' : 'apcer';
  const [first, ...rest] = thresholdsBetween(scores)
    .map((threshold) => ratesAt(scores, threshold))
    .filter((rates) => rates[target.error].rate <= target.rate);
  const best = rest.reduce((chosen, rates) => {
    const gain =
      chosen[other].rate - rates[other].rate || chosen[target.error].rate - rates[target.error].rate;
    return gain > 0 ? rates : chosen;
  }, first as RatesAtThreshold);
  return { target, evidence, rates: evidence.rule && best };
}

/** A threshold between each two neighbouring scores, and one beyond each end; ascending. None is 0, which calls every face live. */
function thresholdsBetween({ live, spoofs }: ScoresByClass): number[] {
  const scores = [...live, ...[...spoofs.values()].flat()].sort((a, b) => a - b);
  const all = [...new Set([0, ...scores, 1])];
  return all.slice(1).map((score, index) => (score + (all[index] as number)) / 2);
}
