import { dot, factor, type Matrix, solve, timesTransposed } from './linear.ts';

/** Pairs that an attacker has: the plain and the protected embedding of the same pictures. */
export interface KnownPairs {
  plain: Matrix;
  protected: Matrix;
}

/** Keeps the equations solvable when pictures resemble each other; far below what float32 leaves uncertain. */
const REGULARISATION = 1e-10;

/**
 * Recovers plain embeddings without the key.
 *
 * A key keeps inner products, so those of an unknown embedding with the known ones are known: as many equations as pairs, for
 * as many unknowns as numbers. With fewer pairs than numbers, the shortest solution is taken: what lies in the directions of the
 * known embeddings is right, and nothing is known of the rest.
 */
export function recover(known: KnownPairs, unknown: Matrix): Float64Array[] {
  const products = timesTransposed(known.plain, known.plain);
  const size = known.plain[0]?.length ?? 0;
  for (const [i, row] of products.entries()) row[i] = (row[i] as number) + REGULARISATION;
  const lower = factor(products);
  return unknown.map((embedding) => {
    const weights = solve(
      lower,
      known.protected.map((row) => dot(row, embedding)),
    );
    const recovered = new Float64Array(size);
    for (const [j, direction] of known.plain.entries()) {
      for (let i = 0; i < size; i++) {
        recovered[i] = (recovered[i] as number) + (weights[j] as number) * (direction[i] as number);
      }
    }
    return recovered;
  });
}
