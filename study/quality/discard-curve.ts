/**
 * The error-versus-discard characteristic: the false non-match rate of what remains when the comparisons of the lowest
 * quality are discarded (Grother and Tabassi, "Performance of biometric quality measures", 2007; ISO/IEC 29794-1). The
 * quality of a comparison is that of the worse of its two pictures. Equal qualities are discarded together, in
 * proportion, so that no order among them is made up.
 */

/**
 * Sorts once what is evaluated often.
 *
 * @param comparisons [{person, p, q, similarity}]. @param qualityOf version → number, more is better.
 */
export function rankComparisons(comparisons, qualityOf, threshold) {
  return comparisons
    .map(({ person, p, q, similarity }) => ({
      person,
      quality: Math.min(qualityOf(p), qualityOf(q)),
      error: similarity < threshold ? 1 : 0,
    }))
    .sort((a, b) => a.quality - b.quality);
}

/** The order in which every error goes first: no measure can do better. */
export function rankIdeally(comparisons, threshold) {
  const ranked = rankComparisons(comparisons, () => 0, threshold);
  return ranked.map((one) => ({ ...one, quality: -one.error })).sort((a, b) => a.quality - b.quality);
}

/**
 * Mean error over the discarded shares from 0 to `most`, which is the area below the curve over that range.
 *
 * @param weightOf person → how often its comparisons count; for the bootstrap.
 */
export function areaBelow(ranked, most = 1, weightOf = () => 1) {
  const groups = groupEqual(ranked, weightOf);
  const total = groups.reduce((sum, { weight }) => sum + weight, 0);
  let kept = total;
  let errors = groups.reduce((sum, group) => sum + group.errors, 0);
  let left = most * total;
  let area = 0;
  for (const group of groups) {
    if (left <= 0) break;
    const part = Math.min(group.weight, left);
    const rate = group.errors / group.weight;
    area += rate * part;
    const above = errors - rate * kept;
    // The last group of all is discarded whole at its own rate; nothing is above it.
    if (kept > part) area += above * Math.log(kept / (kept - part));
    kept -= group.weight;
    errors -= group.errors;
    left -= part;
  }
  return area / (most * total);
}

/** Points {x: share discarded, y: error of the rest} at these shares. */
export function curvePoints(ranked, shares) {
  const groups = groupEqual(ranked, () => 1);
  const total = ranked.length;
  const errors = groups.reduce((sum, group) => sum + group.errors, 0);
  return shares.map((share) => {
    let discarded = share * total;
    let kept = total;
    let keptErrors = errors;
    for (const group of groups) {
      const part = Math.min(group.weight, discarded);
      kept -= part;
      keptErrors -= (group.errors / group.weight) * part;
      discarded -= part;
      if (discarded <= 0) break;
    }
    return { x: share, y: kept > 0 ? keptErrors / kept : 0 };
  });
}

function groupEqual(ranked, weightOf) {
  const groups = [];
  let last;
  for (const { person, quality, error } of ranked) {
    const weight = weightOf(person);
    if (weight === 0) continue;
    if (last?.quality !== quality) {
      last = { quality, weight: 0, errors: 0 };
      groups.push(last);
    }
    last.weight += weight;
    last.errors += weight * error;
  }
  return groups;
}
