interface Rounds {
  minRounds: number;
  maxRounds?: number;
  /** Starts further rounds until this time has passed. */
  seconds?: number;
}

/**
 * Measures several things in turn, every second round in reverse order, so that whatever else the machine does affects all
 * of them alike.
 *
 * @param measures name → function that measures once.
 * @returns name → values, one for each round; values with the same index were measured next to each other.
 */
export async function interleave<Measures extends Record<string, () => unknown>>(
  measures: Measures,
  { minRounds, maxRounds = 1000, seconds = 0 }: Rounds,
): Promise<{ [Name in keyof Measures]: Awaited<ReturnType<Measures[Name]>>[] }> {
  const columns = Object.entries(measures).map(([name, measure]) => ({
    name,
    measure,
    values: [] as unknown[],
  }));
  const end = performance.now() + seconds * 1000;
  for (let round = 0; round < maxRounds && (round < minRounds || performance.now() < end); round++) {
    for (const { measure, values } of round % 2 === 0 ? columns : columns.toReversed())
      values.push(await measure());
  }
  const result = Object.fromEntries(columns.map(({ name, values }) => [name, values]));
  return result as { [Name in keyof Measures]: Awaited<ReturnType<Measures[Name]>>[] };
}

/** Milliseconds that a function takes. */
export async function timed(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
