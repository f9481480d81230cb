import { SCORE_WEIGHTS } from '../../src/vision/quality/quality-score.ts';
import { falseNonMatchRate, genuineComparisons, type VersionComparison } from './comparisons.ts';
import { learnDistinctness, limited } from './darkness.ts';
import {
  areaUnderCurve,
  curvePoints,
  type RankedComparison,
  rankComparisons,
  rankIdeally,
} from './discard-curve.ts';
import { DEGRADATION_KINDS } from './embed/degradations.ts';
import { mapValues } from './map-values.ts';
import {
  CHOSEN_FORMS,
  type Measure,
  RIVAL_MEASURES,
  SINGLE_MEASURES,
  scoreWith,
  type TermName,
  weightedSum,
} from './measures.ts';
import { MIXES } from './photos.ts';
import { randomOf } from './random.ts';
import { type Half, learnWeights } from './weights.ts';

/** A gate that refuses a larger share of the comparisons would not be used. */
const MAX_DISCARDED = 0.3;
const RESAMPLES = 500;
const CURVE_SHARES = Array.from({ length: 96 }, (_, i) => i / 100);

const SCORES = {
  score: scoreWith(SCORE_WEIGHTS.withNorm),
  'score without the norm': scoreWith(SCORE_WEIGHTS.withoutNorm),
};

type Interval = readonly [low: number, high: number];

/** Areas of every measure with confidence intervals, and the differences between the rivals and the score. */
export function judgeAreas({ persons, pairs, photos }: Half, threshold: number) {
  const resamples = resamplePersons([...persons]);
  return mapValues(MIXES, (wanted) => {
    const comparisons = genuineComparisons(pairs, photos, wanted);
    const rank = (measure: Measure) => rankComparisons(comparisons, measure, threshold);
    const ranked = {
      ...mapValues({ ...SCORES, ...SINGLE_MEASURES }, rank),
      'no measure': rank(() => 0),
      ideal: rankIdeally(comparisons, threshold),
    };
    return { whole: areasUpTo(1, ranked, resamples), part: areasUpTo(MAX_DISCARDED, ranked, resamples) };
  });
}

/** Bootstrap: how many times each person is drawn. */
function resamplePersons(persons: readonly string[]): ((person: string) => number)[] {
  const random = randomOf('resamples');
  return Array.from({ length: RESAMPLES }, () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < persons.length; i++) {
      const person = persons[Math.floor(random() * persons.length)] as string;
      counts.set(person, (counts.get(person) ?? 0) + 1);
    }
    return (person: string) => counts.get(person) ?? 0;
  });
}

function areasUpTo<Name extends string>(
  maxShare: number,
  ranked: Record<Name | 'score', RankedComparison[]>,
  resamples: readonly ((person: string) => number)[],
) {
  const samples = mapValues(ranked, (list) =>
    resamples.map((weightOf) => areaUnderCurve(list, maxShare, weightOf)),
  );
  return mapValues(ranked, (list, name) => {
    const differences = samples[name].map((area, i) => area - (samples.score[i] as number));
    return {
      area: areaUnderCurve(list, maxShare),
      interval: middle95(samples[name]),
      aboveScore: name in RIVAL_MEASURES ? middle95(differences) : undefined,
    };
  });
}

/** The interval that holds the middle 95 % of the values. */
function middle95(values: readonly number[]): Interval {
  const sorted = values.toSorted((p, q) => p - q);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] as number;
  return [at(0.025), at(0.975)];
}

/** Areas with the halves swapped: weights from the judging half, areas on the choosing half. */
export function judgeSwapped(halves: { choosing: Half; judging: Half }, threshold: number) {
  const { pairs, photos } = halves.choosing;
  const line = learnDistinctness(halves.judging, threshold);
  const learned = (terms: readonly TermName[]) =>
    limited(weightedSum(learnWeights(halves.judging, terms, threshold)), line);
  const measures = {
    score: learned(CHOSEN_FORMS.withNorm),
    'score without the norm': learned(CHOSEN_FORMS.withoutNorm),
    ...RIVAL_MEASURES,
  };
  const comparisons = mapValues(MIXES, (wanted) => genuineComparisons(pairs, photos, wanted));
  return Object.entries(measures).map(([name, measure]) => ({
    name,
    ...mapValues(comparisons, (list) => areaOf(list, measure, threshold)),
  }));
}

/** The curves of the scores, the rivals and an ideal measure. */
export function curvesOf({ pairs, photos }: Half, threshold: number) {
  return mapValues(MIXES, (wanted) => {
    const comparisons = genuineComparisons(pairs, photos, wanted);
    const points = (ranked: RankedComparison[]) => curvePoints(ranked, CURVE_SHARES);
    return {
      ...mapValues({ ...SCORES, ...RIVAL_MEASURES }, (measure) =>
        points(rankComparisons(comparisons, measure, threshold)),
      ),
      ideal: points(rankIdeally(comparisons, threshold)),
    };
  });
}

/** For each kind of degradation, how well a score ranks it whose weights were fitted without that kind. */
export function leaveOneKindOut({ choosing, judging }: { choosing: Half; judging: Half }, threshold: number) {
  return DEGRADATION_KINDS.map((kind) => {
    const weights = learnWeights(
      choosing,
      CHOSEN_FORMS.withNorm,
      threshold,
      (version) => version.kind !== kind,
    );
    const comparisons = genuineComparisons(judging.pairs, judging.photos, (version) => version.kind === kind);
    const area = (measure: Measure) => areaOf(comparisons, measure, threshold);
    return {
      kind,
      falseNonMatchRate: falseNonMatchRate(comparisons, threshold),
      withoutKind: area(weightedSum(weights)),
      score: area(SCORES.score),
      rivals: Object.values(RIVAL_MEASURES).map(area),
    };
  });
}

function areaOf(comparisons: readonly VersionComparison[], measure: Measure, threshold: number): number {
  return areaUnderCurve(rankComparisons(comparisons, measure, threshold));
}
