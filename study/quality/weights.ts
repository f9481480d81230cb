import { genuineComparisons, type Pair, splitPersons, versionOutcomes } from './comparisons.ts';
import { areaUnderCurve, rankComparisons } from './discard-curve.ts';
import { fitWeights, type Weights } from './fit.ts';
import { FORMS, type TermName, termsOf, weightedSum } from './measures.ts';
import { MIXES, type Photo, personOf, type VersionFilter } from './photos.ts';

const FOLDS = 5;

/** The persons of one half of the study, with their photographs and genuine pairs. */
export interface Half {
  persons: ReadonlySet<string>;
  photos: readonly Photo[];
  pairs: readonly Pair[];
}

/** Fits the weights of these terms to the outcomes of one half. */
export function learnWeights<Name extends TermName>(
  { pairs, photos }: Pick<Half, 'pairs' | 'photos'>,
  terms: readonly Name[],
  threshold: number,
  wanted?: VersionFilter,
): Weights<Name> {
  const examples = versionOutcomes(pairs, photos, threshold, wanted).map(({ version, matches }) => ({
    terms: termsOf(version),
    matches,
  }));
  return fitWeights(examples, terms);
}

/** Compares sets of terms by cross-validation among the persons of one half. */
export function compareForms(half: Half, threshold: number) {
  const folds = splitPersons([...half.persons], FOLDS, 'folds');
  return Object.entries(FORMS).map(([name, terms]: [string, readonly TermName[]]) => {
    const trained = folds.map((heldOut) => {
      const isHeldOut = ({ a }: Pair) => heldOut.has(personOf(a));
      const rest = half.pairs.filter((pair) => !isHeldOut(pair));
      const weights = learnWeights({ pairs: rest, photos: half.photos }, terms, threshold);
      return { measure: weightedSum(weights), pairs: half.pairs.filter(isHeldOut) };
    });
    const area = (wanted: VersionFilter) => {
      const ranked = trained.flatMap(({ measure, pairs }) => {
        return rankComparisons(genuineComparisons(pairs, half.photos, wanted), measure, threshold);
      });
      return areaUnderCurve(ranked.sort((p, q) => p.quality - q.quality));
    };
    const weights = learnWeights(half, terms, threshold);
    const unused = terms.filter((term) => weights[term] === 0);
    return { name, unused, all: area(MIXES.all), light: area(MIXES.light) };
  });
}
