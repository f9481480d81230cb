import fc from 'fast-check';

/** The same values in every run, so that a failure can be repeated; the long campaign takes others. */
export const SEED = Number(process.env.PROPERTY_SEED ?? 15);

const RUNS = Number(process.env.PROPERTY_RUNS ?? 300);

/** Checks a property for generated values. A failure names the seed and the smallest value for which it fails. */
export function check<Values>(property: fc.IRawProperty<Values>): void {
  fc.assert(property as fc.IProperty<Values>, { seed: SEED, numRuns: RUNS });
}

/** The same for a property that waits. */
export function checkAsync<Values>(property: fc.IAsyncProperty<Values>): Promise<void> {
  return fc.assert(property, { seed: SEED, numRuns: RUNS });
}
