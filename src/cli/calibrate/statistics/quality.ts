/** The share of genuine pairs that are rejected before any is discarded. */
const INITIAL_REJECTS = 0.05;
/** Beyond, too few pairs are left to say anything. */
export const MOST_DISCARDED = 0.5;
/** With fewer false rejects the curve is made of chance. */
const FEWEST_REJECTS = 3;

/**
 * The error-versus-discard curve: what share of genuine pairs is falsely rejected, at a threshold that rejects 5 % of
 * them all, as the pairs with the lowest quality are discarded. A pair is as good as the poorer of its pictures. Source: P. Grother,
 * E. Tabassi, "Performance of Biometric Quality Measures", IEEE TPAMI 29 (2007); ISO/IEC 29794-1.
 *
 * @param pairs genuine ones: [{distance, quality}].
 * @returns {threshold, rejects, points: [{discarded, frr}], area, idealArea, flatArea}; undefined with too few pairs. An
 *   area is the mean of a curve over the discarded share: what this quality, a perfect one, and one that says nothing reach.
 */
export function errorVersusDiscard(pairs) {
  const rejects = Math.floor(pairs.length * INITIAL_REJECTS);
  if (rejects < FEWEST_REJECTS) return undefined;
  const byDistance = pairs.map(({ distance }) => distance).sort((a, b) => b - a);
  // At most this distance matches, so that the most distant pairs are rejected; ties may make them fewer.
  const threshold = byDistance[rejects];
  const rejected = byDistance.filter((distance) => distance > threshold).length;
  if (rejected < FEWEST_REJECTS) return undefined;

  const byQuality = [...pairs].sort((a, b) => a.quality - b.quality);
  const points = [];
  let left = rejected;
  for (let discarded = 0; discarded <= pairs.length * MOST_DISCARDED; discarded++) {
    points.push({ discarded: discarded / pairs.length, frr: left / (pairs.length - discarded) });
    if (byQuality[discarded].distance > threshold) left--;
  }
  const initial = rejected / pairs.length;
  const ideal = points.map(({ discarded }) => Math.max(0, initial - discarded) / (1 - discarded));
  return {
    threshold,
    rejects: rejected,
    points,
    area: meanOf(points.map(({ frr }) => frr)),
    idealArea: meanOf(ideal),
    flatArea: initial,
  };
}

const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
