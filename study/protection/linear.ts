/* The linear algebra of the attacks, on matrices as lists of rows. */

export type Matrix = readonly ArrayLike<number>[];

/** @returns the products of each row of `a` with each row of `b`: a · bᵀ. */
export function timesTransposed(a: Matrix, b: Matrix): Float64Array[] {
  return a.map((row) => Float64Array.from(b, (other) => dot(row, other)));
}

export function dot(p: ArrayLike<number>, q: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += (p[i] as number) * (q[i] as number);
  return sum;
}

/**
 * Factors a symmetric positive definite matrix as L · Lᵀ (Cholesky).
 *
 * @throws {RangeError} when it is not positive definite.
 */
export function factor(matrix: Matrix): Float64Array[] {
  const lower = matrix.map((row) => Float64Array.from(row));
  for (const [j, pivotRow] of lower.entries()) {
    const pivot = (pivotRow[j] as number) - dot(pivotRow.subarray(0, j), pivotRow.subarray(0, j));
    if (!(pivot > 0)) throw new RangeError('The matrix is not positive definite.');
    const root = Math.sqrt(pivot);
    pivotRow[j] = root;
    pivotRow.fill(0, j + 1);
    for (const row of lower.slice(j + 1)) {
      row[j] = ((row[j] as number) - dot(row.subarray(0, j), pivotRow.subarray(0, j))) / root;
    }
  }
  return lower;
}

/** Solves L · Lᵀ · x = b. */
export function solve(lower: readonly Float64Array[], b: ArrayLike<number>): Float64Array {
  const x = Float64Array.from(b);
  for (const [i, row] of lower.entries()) {
    x[i] = ((x[i] as number) - dot(row.subarray(0, i), x.subarray(0, i))) / (row[i] as number);
  }
  for (let i = x.length - 1; i >= 0; i--) {
    let sum = x[i] as number;
    for (let j = i + 1; j < x.length; j++) sum -= (lower[j]?.[i] as number) * (x[j] as number);
    x[i] = sum / (lower[i]?.[i] as number);
  }
  return x;
}
