import {
  genuineComparisons,
  impostorSimilarities,
  isLight,
  personOf,
  similarity,
  splitPersons,
  thresholdAt,
  versionsWithOutcome,
} from './comparisons.ts';
import { DEGRADATIONS, randomOf } from './degradations.ts';
import { areaBelow, curvePoints, rankComparisons, rankIdeally } from './discard-curve.ts';
import { fitWeights } from './fit.ts';
import { CHOSEN, FORMS, OTHER_TERMS, RIVALS, SINGLE_MEASURES } from './measures.ts';

/** One stranger in a thousand passes: a usual point of operation that the impostors of one half still carry. */
const FALSE_MATCH_RATE = 0.001;
/** A gate that turns away more than this would not be kept. */
const PART = 0.3;
const FOLDS = 5;
const RESAMPLES = 500;
const GATES = [0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95];
const SHARES = Array.from({ length: 96 }, (_, i) => i / 100);
/** What the words of a refusal should say of each kind of degradation, where there are words for it. */
const EXPECTED_REASONS = {
  blur: 'too blurred',
  motion: 'too blurred',
  enlarged: 'too blurred',
  small: 'come closer',
  dark: 'too dark',
  bright: 'too bright',
  flat: 'low contrast',
  cut: 'face cut off',
};

/**
 * Chooses the weights of the score on one half of the persons and judges those of the service on the other.
 *
 * @param pairs [{a, b, same}]. @param photos of embedAll. @param scoring of loadScoring.
 */
export function runStudy({ pairs, photos, scoring }, log) {
  const genuine = pairs.filter(({ same }) => same);
  const persons = [...new Set(photos.map(({ file }) => personOf(file)))];
  const [choosing, judging] = splitPersons(persons, 2, 'halves').map((group) => ({
    persons: group,
    photos: photos.filter(({ file }) => group.has(personOf(file))),
    pairs: genuine.filter(({ a }) => group.has(personOf(a))),
  }));
  const threshold = thresholdAt(impostorSimilarities(choosing.photos), FALSE_MATCH_RATE);
  const context = { threshold, scoring };

  log('choosing');
  const chosen = {
    forms: compareForms(choosing, context),
    weights: Object.fromEntries(
      Object.entries(CHOSEN).map(([name, terms]) => [name, learnWeights(choosing, terms, context)]),
    ),
  };
  log('judging');
  return {
    halves: describeHalves({ choosing, judging }, context),
    chosen,
    weights: scoring.weights,
    areas: judgeAreas(judging, context),
    swapped: judgeSwapped({ choosing, judging }, context),
    curves: curvesOf(judging, context),
    kinds: leaveOneKindOut({ choosing, judging }, context),
    gates: judgeGates(judging, context),
    calibration: judgeCalibration(judging, context),
    reasons: judgeReasons(judging, context),
  };
}

function termsOf(version, { scoreTerms }) {
  const others = Object.entries(OTHER_TERMS).map(([name, measure]) => [name, measure(version)]);
  return { ...scoreTerms(membersOf(version)), ...Object.fromEntries(others) };
}

const membersOf = ({ quality, detectionScore }) => ({ ...quality, detectionScore });

function learnWeights({ pairs, photos }, terms, { threshold, scoring }, wanted = () => true) {
  const examples = versionsWithOutcome(pairs, photos, threshold, wanted).map(({ version, matches }) => ({
    terms: termsOf(version, scoring),
    matches,
  }));
  return fitWeights(examples, terms);
}

/** Weights of fitWeights → a measure. The logistic function changes no order and is left out. */
function measureBy({ intercept, ...weights }, { scoring }) {
  return (version) => {
    const terms = termsOf(version, scoring);
    return Object.entries(weights).reduce((sum, [name, weight]) => sum + weight * terms[name], intercept);
  };
}

const scoreWith = (weights, scoring) => (version) => scoring.scoreQuality(membersOf(version), weights);

/** Which terms to take, by cross-validation among the persons that choose. */
function compareForms({ persons, pairs, photos }, context) {
  const folds = splitPersons([...persons], FOLDS, 'folds');
  return Object.entries(FORMS).map(([name, terms]) => {
    const judged = folds.map((held) => {
      const rest = pairs.filter(({ a }) => !held.has(personOf(a)));
      const measure = measureBy(learnWeights({ pairs: rest, photos }, terms, context), context);
      return { measure, pairs: pairs.filter(({ a }) => held.has(personOf(a))) };
    });
    const rankAll = (wanted) =>
      judged
        .flatMap(({ measure, pairs: some }) =>
          rankComparisons(genuineComparisons(some, photos, wanted), measure, context.threshold),
        )
        .sort((p, q) => p.quality - q.quality);
    const weights = learnWeights({ pairs, photos }, terms, context);
    const unused = terms.filter((term) => weights[term] === 0);
    return { name, unused, all: areaBelow(rankAll()), light: areaBelow(rankAll(isLight)) };
  });
}

function describeHalves(halves, { threshold }) {
  const falseMatches = (similarities) =>
    similarities.filter((value) => value >= threshold).length / similarities.length;
  const rows = Object.entries(halves).map(([name, { persons, photos, pairs }]) => {
    const impostors = impostorSimilarities(photos);
    const comparisons = genuineComparisons(pairs, photos);
    const light = genuineComparisons(pairs, photos, isLight);
    return {
      name,
      persons: persons.size,
      pairs: pairs.length,
      impostors: impostors.length,
      falseMatchRate: falseMatches(impostors),
      comparisons: comparisons.length,
      falseNonMatchRate: errorRate(comparisons, threshold),
      lightComparisons: light.length,
      lightFalseNonMatchRate: errorRate(light, threshold),
    };
  });
  return { threshold, rows };
}

const errorRate = (comparisons, threshold) =>
  comparisons.filter(({ similarity }) => similarity < threshold).length / comparisons.length;

function measuresOf({ scoring }) {
  return {
    score: scoreWith(scoring.weights.withNorm, scoring),
    'score without the norm': scoreWith(scoring.weights.withoutNorm, scoring),
    ...SINGLE_MEASURES,
  };
}

/** Areas of every measure, with intervals from resampled persons; and by how much the score is below each of its rivals. */
function judgeAreas({ persons, pairs, photos }, context) {
  const random = randomOf('resamples');
  const people = [...persons];
  const resamples = Array.from({ length: RESAMPLES }, () => {
    const counts = new Map();
    for (let i = 0; i < people.length; i++) {
      const person = people[Math.floor(random() * people.length)];
      counts.set(person, (counts.get(person) ?? 0) + 1);
    }
    return (person) => counts.get(person) ?? 0;
  });
  return Object.fromEntries(
    [
      ['all', () => true],
      ['light', isLight],
    ].map(([mix, wanted]) => {
      const comparisons = genuineComparisons(pairs, photos, wanted);
      const ranked = {
        ...Object.fromEntries(
          Object.entries(measuresOf(context)).map(([name, measure]) => [
            name,
            rankComparisons(comparisons, measure, context.threshold),
          ]),
        ),
        'no measure': rankComparisons(comparisons, () => 0, context.threshold),
        'the errors themselves': rankIdeally(comparisons, context.threshold),
      };
      return [mix, { whole: areasOver(ranked, 1, resamples), part: areasOver(ranked, PART, resamples) }];
    }),
  );
}

/** The same the other way round: weights from the half that judges, areas on the half that chooses. */
function judgeSwapped({ choosing, judging }, context) {
  const { pairs, photos } = choosing;
  const measures = {
    score: measureBy(learnWeights(judging, CHOSEN.withNorm, context), context),
    'score without the norm': measureBy(learnWeights(judging, CHOSEN.withoutNorm, context), context),
    ...Object.fromEntries(RIVALS.map((name) => [name, SINGLE_MEASURES[name]])),
  };
  const all = genuineComparisons(pairs, photos);
  const light = genuineComparisons(pairs, photos, isLight);
  return Object.entries(measures).map(([name, measure]) => {
    const area = (comparisons) => areaBelow(rankComparisons(comparisons, measure, context.threshold));
    return { name, all: area(all), light: area(light) };
  });
}

function areasOver(ranked, most, resamples) {
  const samples = Object.fromEntries(
    Object.entries(ranked).map(([name, list]) => [
      name,
      resamples.map((weightOf) => areaBelow(list, most, weightOf)),
    ]),
  );
  return Object.fromEntries(
    Object.entries(ranked).map(([name, list]) => {
      const below = RIVALS.includes(name)
        ? intervalOf(samples[name].map((value, i) => value - samples.score[i]))
        : undefined;
      return [name, { area: areaBelow(list, most), interval: intervalOf(samples[name]), below }];
    }),
  );
}

/** The middle 95 %. */
function intervalOf(values) {
  const sorted = values.toSorted((p, q) => p - q);
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  return [at(0.025), at(0.975)];
}

function curvesOf({ pairs, photos }, context) {
  const shown = ['score', 'score without the norm', ...RIVALS];
  const all = measuresOf(context);
  return Object.fromEntries(
    [
      ['all', () => true],
      ['light', isLight],
    ].map(([mix, wanted]) => {
      const comparisons = genuineComparisons(pairs, photos, wanted);
      const lines = shown.map((name) => ({
        name,
        points: curvePoints(rankComparisons(comparisons, all[name], context.threshold), SHARES),
      }));
      const ideal = curvePoints(rankIdeally(comparisons, context.threshold), SHARES);
      return [mix, [...lines, { name: 'ideal', points: ideal }]];
    }),
  );
}

/** Whether the score also ranks degradations that its weights have never seen. */
function leaveOneKindOut({ choosing, judging }, context) {
  return Object.keys(DEGRADATIONS).map((kind) => {
    const weights = learnWeights(choosing, CHOSEN.withNorm, context, (version) => version.kind !== kind);
    const comparisons = genuineComparisons(judging.pairs, judging.photos, (version) => version.kind === kind);
    const area = (measure) => areaBelow(rankComparisons(comparisons, measure, context.threshold));
    return {
      kind,
      falseNonMatchRate: errorRate(comparisons, context.threshold),
      unseen: area(measureBy(weights, context)),
      score: area(measuresOf(context).score),
      rivals: RIVALS.map((name) => area(SINGLE_MEASURES[name])),
    };
  });
}

/** What a gate at each score would have done. */
function judgeGates({ pairs, photos }, { threshold, scoring }) {
  const score = scoreWith(scoring.weights.withNorm, scoring);
  const all = genuineComparisons(pairs, photos);
  const light = genuineComparisons(pairs, photos, isLight);
  const found = photos.flatMap(({ versions }) => versions.filter((version) => version.found));
  const originals = found.filter(({ kind }) => kind === 'none');
  const degraded = found.filter(({ kind }) => kind !== 'none');
  const strangers = sampleStrangers(photos);
  return [0, ...GATES].map((gate) => {
    const passes = (version) => score(version) >= gate;
    const refused = (versions) => versions.filter((version) => !passes(version)).length / versions.length;
    const remaining = (comparisons) => comparisons.filter(({ p, q }) => passes(p) && passes(q));
    const left = remaining(strangers);
    return {
      gate,
      originalsRefused: refused(originals),
      lightRefused: refused(degraded.filter(isLight)),
      degradedRefused: refused(degraded),
      falseNonMatchRate: errorRate(remaining(all), threshold),
      lightFalseNonMatchRate: errorRate(remaining(light), threshold),
      falseMatchRate: left.filter((one) => one.similarity >= threshold).length / left.length,
    };
  });
}

/** Comparisons of different persons, each in any version. */
function sampleStrangers(photos, count = 200_000) {
  const random = randomOf('strangers');
  const versions = photos.flatMap(({ file, versions: all }) =>
    all.filter(({ found }) => found).map((version) => ({ ...version, person: personOf(file) })),
  );
  const any = () => versions[Math.floor(random() * versions.length)];
  return Array.from({ length: count }, () => [any(), any()])
    .filter(([p, q]) => p.person !== q.person)
    .map(([p, q]) => ({ p, q, similarity: similarity(p.embedding, q.embedding) }));
}

/** Whether the score is the probability that it says it is. */
function judgeCalibration({ pairs, photos }, { threshold, scoring }) {
  const examples = versionsWithOutcome(pairs, photos, threshold);
  const edges = [0, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0001];
  const names = ['withNorm', 'withoutNorm'];
  return edges.slice(1).map((edge, i) => ({
    from: edges[i],
    to: Math.min(1, edge),
    ...Object.fromEntries(
      names.map((name) => {
        const score = scoreWith(scoring.weights[name], scoring);
        const inside = examples.filter(({ version }) => score(version) >= edges[i] && score(version) < edge);
        const matching = inside.filter(({ matches }) => matches).length;
        return [name, { count: inside.length, matches: matching / inside.length }];
      }),
    ),
  }));
}

/** Whether a refusal says what was wrong. */
function judgeReasons({ photos }, { scoring }) {
  const { findLowQuality, reasons, weights } = scoring;
  const score = scoreWith(weights.withNorm, scoring);
  const found = photos.flatMap(({ versions }) => versions.filter((version) => version.found));
  const told = (version, minQuality) =>
    findLowQuality({ ...version.quality, score: score(version) }, { minQuality });
  const kinds = Object.keys(DEGRADATIONS).map((kind) => {
    const refusals = found
      .filter((version) => version.kind === kind)
      .map((version) => told(version, 0.5))
      .filter((list) => list.length > 0);
    const share = (test) => refusals.filter(test).length / refusals.length;
    const expected = EXPECTED_REASONS[kind];
    const firsts = reasons
      .map((reason) => ({ reason, share: share(([first]) => first === reason) }))
      .sort((p, q) => q.share - p.share);
    return {
      kind,
      refused: refusals.length,
      expected,
      named: expected && share((list) => list.includes(expected)),
      first: expected && share(([first]) => first === expected),
      mostOften: firsts.slice(0, 2).filter((one) => one.share > 0),
    };
  });
  // As if they had been refused, which they are not.
  const originals = found.filter(({ kind }) => kind === 'none').map((version) => told(version, 1.1));
  const onOriginals = reasons.map((reason) => ({
    reason,
    share: originals.filter((list) => list.includes(reason)).length / originals.length,
  }));
  return { kinds, onOriginals };
}
