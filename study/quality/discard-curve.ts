/**
 * The error-versus-discard characteristic: the false non-match rate of the remaining comparisons when those with the lowest
 * quality are discarded (Grother and Tabassi, "Performance of biometric quality measures", 2007; ISO/IEC 29794-1). The
 * quality of a comparison is that of its worse picture. Comparisons of equal quality are discarded together, in
 * proportion, so that the result does not depend on an arbitrary order among them.
 */

/** A comparison of two pictures of one person. */
export interface Comparison<Version> {
  person: string;
  p: Version;
  q: Version;
  similarity: number;
}

/** A number for a version; higher means better quality. */
export type QualityMeasure<Version> = (version: Version) => number;

export interface RankedComparison {
  person: string;
  quality: number;
  /** 1 for a false non-match, else 0. */
  error: number;
}

/** How many times the comparisons of a person count. The bootstrap uses it. */
type PersonWeight = (person: string) => number;

/** Comparisons with the lowest quality first. */
export function rankComparisons<Version>(
  comparisons: readonly Comparison<Version>[],
  qualityOf: QualityMeasure<Version>,
  threshold: number,
): RankedComparison[] {
  return comparisons
    .map(({ person, p, q, similarity }) => ({
      person,
      quality: Math.min(qualityOf(p), qualityOf(q)),
      error: similarity < threshold ? 1 : 0,
    }))
    .sort((a, b) => a.quality - b.quality);
}

/** All errors first: no measure can rank better. */
export function rankIdeally(
  comparisons: readonly Comparison<unknown>[],
  threshold: number,
): RankedComparison[] {
  const ranked = rankComparisons(comparisons, () => 0, threshold);
  return ranked.map((one) => ({ ...one, quality: -one.error })).sort((a, b) => a.quality - b.quality);
}

/** The mean error over discarded shares from 0 to `maxShare`: the area under the curve in that range. */
export function areaUnderCurve(
  ranked: readonly RankedComparison[],
  maxShare = 1,
  weightOf: PersonWeight = () => 1,
): number {
  const groups = groupByQuality(ranked, weightOf);
  const total = groups.reduce((sum, { weight }) => sum + weight, 0);
  let kept = total;
  let errors = groups.reduce((sum, group) => sum + group.errors, 0);
  let toDiscard = maxShare * total;
  let area = 0;
  for (const group of groups) {
    if (toDiscard <= 0) break;
    const part = Math.min(group.weight, toDiscard);
    const rate = group.errors / group.weight;
    area += rate * part;
    const excess = errors - rate * kept;
    // The last group is discarded at its own rate, and no other group remains.
    if (kept > part) area += excess * Math.log(kept / (kept - part));
    kept -= group.weight;
    errors -= group.errors;
    toDiscard -= part;
  }
  return area / (maxShare * total);
}

/** Points of the curve: x is the discarded share, y the error of the remaining comparisons. */
export function curvePoints(
  ranked: readonly RankedComparison[],
  shares: readonly number[],
): { x: number; y: number }[] {
  const groups = groupByQuality(ranked, () => 1);
  const total = ranked.length;
  const errors = groups.reduce((sum, group) => sum + group.errors, 0);
  return shares.map((share) => {
    let toDiscard = share * total;
    let kept = total;
    let keptErrors = errors;
    for (const group of groups) {
      const part = Math.min(group.weight, toDiscard);
      kept -= part;
      keptErrors -= (group.errors / group.weight) * part;
      toDiscard -= part;
      if (toDiscard <= 0) break;
    }
    return { x: share, y: kept > 0 ? keptErrors / kept : 0 };
  });
}

interface QualityGroup {
  quality: number;
  weight: number;
  errors: number;
}

function groupByQuality(ranked: readonly RankedComparison[], weightOf: PersonWeight): QualityGroup[] {
  const groups: QualityGroup[] = [];
  for (const { person, quality, error } of ranked) {
    const weight = weightOf(person);
    if (weight === 0) continue;
    let group = groups.at(-1);
    if (group?.quality !== quality) {
      group = { quality, weight: 0, errors: 0 };
      groups.push(group);
    }
    group.weight += weight;
    group.errors += weight * error;
  }
  return groups;
}
