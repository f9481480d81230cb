/** The share of genuine pairs that are rejected before any is discarded. */
const INITIAL_REJECTS = 0.05;
/** Beyond this share, too few pairs are left. */
export const MAX_DISCARDED = 0.5;
/** With fewer false rejects the curve is noise. */
const MIN_REJECTS = 3;

export interface DiscardCurve {
  threshold: number;
  /** False rejects before any pair is discarded. */
  rejects: number;
  points: { discarded: number; frr: number }[];
  /** The mean false reject rate over the curve: of the measured quality, of a perfect one, and of an uninformative one. */
  area: number;
  idealArea: number;
  flatArea: number;
}

/**
 * The error-versus-discard curve: the share of genuine pairs that is falsely rejected, at a threshold that rejects 5 % of
 * all, as the pairs with the lowest quality are discarded. The quality of a pair is that of its poorer picture. Source:
 * P. Grother, E. Tabassi, "Performance of Biometric Quality Measures", IEEE TPAMI 29 (2007); ISO/IEC 29794-1.
 *
 * @param pairs genuine ones.
 * @returns undefined with too few pairs.
 */
export function errorVersusDiscard(pairs: { distance: number; quality: number }[]): DiscardCurve | undefined {
  const wanted = Math.floor(pairs.length * INITIAL_REJECTS);
  if (wanted < MIN_REJECTS) return undefined;
  const byDistance = pairs.map(({ distance }) => distance).sort((a, b) => b - a);
  // A pair matches at most at this distance. Ties may leave fewer rejects than wanted.
  const threshold = byDistance[wanted] as number;
  const rejects = byDistance.filter((distance) => distance > threshold).length;
  if (rejects < MIN_REJECTS) return undefined;

  const points: DiscardCurve['points'] = [];
  let left = rejects;
  for (const [discarded, { distance }] of [...pairs].sort((a, b) => a.quality - b.quality).entries()) {
    if (discarded > pairs.length * MAX_DISCARDED) break;
    points.push({ discarded: discarded / pairs.length, frr: left / (pairs.length - discarded) });
    if (distance > threshold) left--;
  }
  const initial = rejects / pairs.length;
  return {
    threshold,
    rejects,
    points,
    area: meanOf(points.map(({ frr }) => frr)),
    idealArea: meanOf(points.map(({ discarded }) => idealRate(initial, discarded))),
    flatArea: initial,
  };
}

/** The false reject rate if the discarded pairs are the rejected ones. */
export function idealRate(initial: number, discarded: number): number {
  return Math.max(0, initial - discarded) / (1 - discarded);
}

const meanOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
