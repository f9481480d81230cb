import { SCORE_WEIGHTS } from '../../src/vision/quality/quality-score.ts';
import { curvesOf, judgeAreas, judgeSwapped, leaveOneKindOut } from './areas.ts';
import {
  falseNonMatchRate,
  genuineComparisons,
  impostorSimilarities,
  matchRate,
  type Pair,
  splitPersons,
  thresholdAt,
} from './comparisons.ts';
import { judgeDark, learnDistinctness } from './darkness.ts';
import { judgeCalibration, judgeGates, judgeReasons } from './gates.ts';
import { mapValues } from './map-values.ts';
import { CHOSEN_FORMS } from './measures.ts';
import { MIXES, type Photo, personOf } from './photos.ts';
import { compareForms, type Half, learnWeights } from './weights.ts';

/** A common operating point, and about the lowest rate that the impostor pairs of one half support. */
const FALSE_MATCH_RATE = 0.001;

export type StudyResults = ReturnType<typeof runStudy>;

/** Fits the weights of the score on one half of the persons, and judges those of the service on the other half. */
export function runStudy(pairs: readonly Pair[], photos: readonly Photo[], log: (text: string) => void) {
  const halves = splitIntoHalves(pairs, photos);
  const { choosing, judging } = halves;
  const threshold = thresholdAt(impostorSimilarities(choosing.photos), FALSE_MATCH_RATE);
  log('choosing');
  const chosen = {
    forms: compareForms(choosing, threshold),
    weights: {
      withNorm: learnWeights(choosing, CHOSEN_FORMS.withNorm, threshold),
      withoutNorm: learnWeights(choosing, CHOSEN_FORMS.withoutNorm, threshold),
      distinctness: learnDistinctness(choosing, threshold),
    },
  };
  log('judging');
  return {
    halves: {
      threshold,
      rows: Object.entries(halves).map(([name, half]) => describeHalf(name, half, threshold)),
    },
    chosen,
    weights: SCORE_WEIGHTS,
    areas: judgeAreas(judging, threshold),
    swapped: judgeSwapped(halves, threshold),
    curves: curvesOf(judging, threshold),
    kinds: leaveOneKindOut(halves, threshold),
    gates: judgeGates(judging, threshold),
    calibration: judgeCalibration(judging, threshold),
    reasons: judgeReasons(judging),
    dark: judgeDark(judging, threshold),
  };
}

function splitIntoHalves(
  pairs: readonly Pair[],
  photos: readonly Photo[],
): { choosing: Half; judging: Half } {
  const persons = [...new Set(photos.map(({ file }) => personOf(file)))];
  const [first, second] = splitPersons(persons, 2, 'halves') as [Set<string>, Set<string>];
  const halfOf = (group: Set<string>): Half => ({
    persons: group,
    photos: photos.filter(({ file }) => group.has(personOf(file))),
    pairs: pairs.filter(({ a, samePerson }) => samePerson && group.has(personOf(a))),
  });
  return { choosing: halfOf(first), judging: halfOf(second) };
}

function describeHalf(name: string, { persons, photos, pairs }: Half, threshold: number) {
  const impostors = impostorSimilarities(photos).map((similarity) => ({ similarity }));
  const { all, light } = mapValues(MIXES, (wanted) => genuineComparisons(pairs, photos, wanted));
  return {
    name,
    persons: persons.size,
    pairs: pairs.length,
    impostors: impostors.length,
    falseMatchRate: matchRate(impostors, threshold),
    comparisons: all.length,
    falseNonMatchRate: falseNonMatchRate(all, threshold),
    lightComparisons: light.length,
    lightFalseNonMatchRate: falseNonMatchRate(light, threshold),
  };
}
