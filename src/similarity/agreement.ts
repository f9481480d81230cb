import { FarCurve, type FarPoint } from './far-curve.ts';
import { type FarEvidence, unpackPoints } from './far-evidence.ts';

/**
 * The rate of strangers' pairs that agree by chance. A low one would leave out poor pictures of the same person; and a stranger is
 * compared with the mean of several pictures, which tells more than a pair does.
 */
export const AGREEMENT_FAR = 0.01;

/**
 * The least cosine of two pictures of one person where nothing is measured: what about 1 % of strangers' pairs reach with
 * recognisers that are trained with an angular margin. docs/FUSION.md has the figures.
 */
export const DEFAULT_AGREEMENT = 0.2;

const known = new WeakMap<Float64Array, number>();

/** The least cosine at which two pictures count as of one person when they are fused, −1..1. */
export function agreementOf(evidence: FarEvidence | undefined): number {
  const rows = evidence?.points;
  if (rows === undefined || rows.length === 0) return DEFAULT_AGREEMENT;
  const cosine = known.get(rows) ?? cosineAt(unpackPoints(rows), AGREEMENT_FAR);
  known.set(rows, cosine);
  return cosine;
}

/** The cosine with a false accept rate on a measured curve, or with the nearest rate that it has. */
export function cosineAt(points: readonly FarPoint[], far: number): number {
  const curve = new FarCurve(points);
  const rateAt = (similarity: number) => curve.at(similarity).estimate ?? 0;
  let low = points.at(-1)?.score ?? 0;
  let high = points.find((point) => point.far !== undefined)?.score ?? 1;
  // Halved until nothing is left of the width: rates never rise with the similarity.
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (rateAt(middle) > far) low = middle;
    else high = middle;
  }
  return 2 * high - 1;
}
