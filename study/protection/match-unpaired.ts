import { type Matrix, timesTransposed } from './linear.ts';

/**
 * Guesses which plain embedding belongs to which protected one, without a known pair: distances within a set stay what they
 * were, so that a face is known by its distances to all others, in ascending order.
 *
 * @returns for each protected embedding the index of the plain one whose distances are nearest.
 */
export function matchByDistances(protectedOnes: Matrix, plain: Matrix): number[] {
  const wanted = profilesOf(protectedOnes);
  const known = profilesOf(plain);
  return wanted.map((profile) => {
    const differences = known.map((other) => difference(profile, other));
    return differences.indexOf(Math.min(...differences));
  });
}

/** The similarities of each embedding to all of its set, sorted. */
function profilesOf(set: Matrix): Float64Array[] {
  return timesTransposed(set, set).map((row) => row.sort());
}

function difference(p: Float64Array, q: Float64Array): number {
  return p.reduce((sum, value, i) => sum + (value - (q[i] as number)) ** 2, 0);
}
