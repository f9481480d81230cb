import { median } from '../../bench/statistics.ts';
import { distinctness, SCORE_WEIGHTS, scoreQuality } from '../../src/vision/quality/quality-score.ts';
import { similarity, versionOutcomes } from './comparisons.ts';
import { DEGRADATIONS } from './embed/degradations.ts';
import { type Measure, scoreInputs, scoreWith } from './measures.ts';
import { type MeasuredVersion, measuredVersions, type Photo, personOf } from './photos.ts';
import type { Half } from './weights.ts';

/*
 * Why darkness limits the score. Whether a face matches a good photograph of its person says nothing of strangers, and in the
 * dark they become alike: an enrolled face at a twentieth of the light lets most strangers in who are as dark. No term of
 * the weighted sum can learn that, since the sum is fitted to matches with good photographs.
 */

/** Newton's steps; the first are halved, as it may overshoot from zero. */
const STEPS = 100;
const HALVED_STEPS = 20;
const RIDGE = 1e-6;

type Line = { intercept: number; logBrightness: number };

/** Fits the share of the strangers, as dark as a face, that it does not match: logistic regression on the brightness. */
export function learnDistinctness({ photos }: Pick<Half, 'photos'>, threshold: number): Line {
  const examples = [...strangerRates(photos, threshold)].map(([{ quality }, rate]) => ({
    x: distinctness(quality, { intercept: 0, logBrightness: 1 }),
    distinct: 1 - rate,
  }));
  let [intercept, logBrightness] = [0, 0];
  for (let step = 0; step < STEPS; step++) {
    let [g0, g1, h00, h01, h11] = [0, 0, RIDGE, 0, RIDGE];
    for (const { x, distinct } of examples) {
      const p = 1 / (1 + Math.exp(-intercept - logBrightness * x));
      const weight = p * (1 - p) + RIDGE;
      g0 += distinct - p;
      g1 += (distinct - p) * x;
      h00 += weight;
      h01 += weight * x;
      h11 += weight * x * x;
    }
    const length = (step < HALVED_STEPS ? 0.5 : 1) / (h00 * h11 - h01 * h01);
    intercept += length * (h11 * g0 - h01 * g1);
    logBrightness += length * (h00 * g1 - h01 * g0);
  }
  return { intercept, logBrightness };
}

/** A weighted sum that darkness limits, as it does the score. */
export function limited(sum: Measure, line: Line): Measure {
  return (version) => Math.min(sum(version), distinctness(version.quality, line));
}

/** For each dark version and each degraded photograph as it is, the share of the strangers at the same strength that it matches. */
function strangerRates(photos: readonly Photo[], threshold: number): Map<MeasuredVersion, number> {
  const degraded = photos.filter(({ versions }) => versions.length > 1);
  const dark = degraded.flatMap((photo) =>
    measuredVersions([photo])
      .filter((version) => version.kind === 'original' || isDark(version))
      .map((version) => ({ person: personOf(photo.file), version })),
  );
  return new Map(
    dark.map(({ person, version }) => {
      const others = dark.filter((one) => one.person !== person && one.version.level === version.level);
      const matched = others.filter(
        (one) => similarity(one.version.embedding, version.embedding) >= threshold,
      );
      return [version, others.length > 0 ? matched.length / others.length : 0];
    }),
  );
}

/** What darkness does to faces, and how many of them the score lets pass. */
export function judgeDark({ pairs, photos }: Half, threshold: number) {
  const strangers = strangerRates(photos, threshold);
  const outcomes = versionOutcomes(pairs, photos, threshold, isDark);
  const score = scoreWith(SCORE_WEIGHTS.withNorm);
  // Of a face that is not dark.
  const before: Measure = (version) =>
    scoreQuality(
      { ...scoreInputs(version), brightness: Math.max(0.15, version.quality.brightness) },
      SCORE_WEIGHTS.withNorm,
    );
  const degraded = photos.flatMap(({ versions }) => versions.filter(isDark));
  return DEGRADATIONS.dark.levels.map((gain, index) => {
    const level = index + 1;
    const made = degraded.filter((version) => version.level === level);
    const found = made.filter((version) => version.found);
    const ofLevel = outcomes.filter(({ version }) => isDark(version) && version.level === level);
    const share = (measure: Measure) =>
      found.filter((version) => measure(version) >= 0.8).length / found.length;
    return {
      gain,
      found: found.length / made.length,
      brightness: median(found.map(({ quality }) => quality.brightness)) ?? Number.NaN,
      matches: ofLevel.filter(({ matches }) => matches).length / ofLevel.length,
      strangers: found.reduce((sum, version) => sum + (strangers.get(version) ?? 0), 0) / found.length,
      pass: share(score),
      passBefore: share(before),
    };
  });
}

function isDark({ kind }: { kind: MeasuredVersion['kind'] }): boolean {
  return kind === 'dark';
}
