import {
  findLowQuality,
  QUALITY_REASONS,
  type QualityReason,
} from '../../src/vision/quality/quality-gate.ts';
import { SCORE_WEIGHTS } from '../../src/vision/quality/quality-score.ts';
import {
  falseNonMatchRate,
  genuineComparisons,
  matchRate,
  similarity,
  type VersionComparison,
  versionOutcomes,
} from './comparisons.ts';
import { DEGRADATION_KINDS, type DegradationKind } from './embed/degradations.ts';
import { mapValues } from './map-values.ts';
import { scoreWith } from './measures.ts';
import { type MeasuredVersion, MIXES, measuredVersions, type Photo, personOf } from './photos.ts';
import { randomOf } from './random.ts';
import type { Half } from './weights.ts';

const GATES = [0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95];
const IMPOSTOR_SAMPLES = 200_000;
const SCORE_BINS = [
  [0, 0.2],
  [0.2, 0.4],
  [0.4, 0.6],
  [0.6, 0.8],
  [0.8, 0.95],
  [0.95, 1],
] as const;

/** The reason that a refusal should give for each kind of degradation, where there is one. */
const EXPECTED_REASONS: Partial<Record<DegradationKind, QualityReason>> = {
  blur: 'too blurred',
  motion: 'too blurred',
  enlarged: 'too blurred',
  small: 'come closer',
  dark: 'too dark',
  bright: 'too bright',
  flat: 'low contrast',
  cut: 'face cut off',
};

const score = scoreWith(SCORE_WEIGHTS.withNorm);

/** The effect of refusing all versions below a score. */
export function judgeGates({ pairs, photos }: Half, threshold: number) {
  const genuine = mapValues(MIXES, (wanted) => genuineComparisons(pairs, photos, wanted));
  const impostors = sampleImpostors(photos);
  const versions = measuredVersions(photos);
  const originals = versions.filter(({ kind }) => kind === 'original');
  const degraded = versions.filter(({ kind }) => kind !== 'original');
  return [0, ...GATES].map((gate) => {
    const passes = (version: MeasuredVersion) => score(version) >= gate;
    const refused = (list: MeasuredVersion[]) =>
      list.filter((version) => !passes(version)).length / list.length;
    const remaining = (list: VersionComparison[]) => list.filter(({ p, q }) => passes(p) && passes(q));
    return {
      gate,
      originalsRefused: refused(originals),
      lightRefused: refused(degraded.filter(MIXES.light)),
      degradedRefused: refused(degraded),
      falseNonMatchRate: falseNonMatchRate(remaining(genuine.all), threshold),
      lightFalseNonMatchRate: falseNonMatchRate(remaining(genuine.light), threshold),
      falseMatchRate: matchRate(remaining(impostors), threshold),
    };
  });
}

/** Comparisons of different persons, each in a random version. */
function sampleImpostors(photos: readonly Photo[]): VersionComparison[] {
  const random = randomOf('strangers');
  const versions = photos.flatMap((photo) =>
    measuredVersions([photo]).map((version) => ({ person: personOf(photo.file), version })),
  );
  const drawOne = () => versions[Math.floor(random() * versions.length)] as (typeof versions)[number];
  return Array.from({ length: IMPOSTOR_SAMPLES }, () => [drawOne(), drawOne()] as const)
    .filter(([p, q]) => p.person !== q.person)
    .map(([p, q]) => ({
      person: p.person,
      p: p.version,
      q: q.version,
      similarity: similarity(p.version.embedding, q.version.embedding),
    }));
}

/** How often versions match, in bins of the score. */
export function judgeCalibration({ pairs, photos }: Half, threshold: number) {
  const outcomes = versionOutcomes(pairs, photos, threshold);
  return SCORE_BINS.map(([from, to]) => ({
    from,
    to,
    ...mapValues(SCORE_WEIGHTS, (weights) => {
      const scored = scoreWith(weights);
      const inside = outcomes.filter(({ version }) => {
        const value = scored(version);
        return value >= from && (value < to || to === 1);
      });
      return {
        count: inside.length,
        matches: inside.filter(({ matches }) => matches).length / inside.length,
      };
    }),
  }));
}

/** How often the reasons of a refusal name the degradation. */
export function judgeReasons({ photos }: Half) {
  const versions = measuredVersions(photos);
  const kinds = DEGRADATION_KINDS.map((kind) => {
    const refusals = versions
      .filter((version) => version.kind === kind)
      .map((version) => reasonsOf(version, 0.5))
      .filter((reasons) => reasons.length > 0);
    const expected = EXPECTED_REASONS[kind];
    const first = shareByReason(refusals, (reasons, reason) => reasons[0] === reason);
    const named = shareByReason(refusals, (reasons, reason) => reasons.includes(reason));
    return {
      kind,
      refused: refusals.length,
      expected,
      named: named.find(({ reason }) => reason === expected)?.share,
      first: first.find(({ reason }) => reason === expected)?.share,
      mostOften: first
        .toSorted((p, q) => q.share - p.share)
        .slice(0, 2)
        .filter(({ share }) => share > 0),
    };
  });
  // The reasons that the originals would get if a limit above the highest score refused them.
  const originals = versions
    .filter(({ kind }) => kind === 'original')
    .map((version) => reasonsOf(version, 1.1));
  return { kinds, onOriginals: shareByReason(originals, (reasons, reason) => reasons.includes(reason)) };
}

function reasonsOf(version: MeasuredVersion, minQuality: number): QualityReason[] {
  return findLowQuality({ ...version.quality, score: score(version) }, { minQuality });
}

function shareByReason(
  refusals: readonly QualityReason[][],
  counts: (reasons: QualityReason[], reason: QualityReason) => boolean,
): { reason: QualityReason; share: number }[] {
  return QUALITY_REASONS.map((reason) => ({
    reason,
    share: refusals.filter((reasons) => counts(reasons, reason)).length / refusals.length,
  }));
}
