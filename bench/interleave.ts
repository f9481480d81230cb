/**
 * Measures contestants by turns, and every second round in reverse order, so that whatever else the machine does hits
 * all of them alike. Values with the same index belong together.
 *
 * @param contestants name → function that measures once.
 * @param bounds at least `rounds` rounds, and on until `seconds` have passed, but never more than `most`.
 * @returns name → values, one a round.
 */
export async function interleave(contestants, { rounds, seconds = 0, most = 1000 }) {
  const entries = Object.entries(contestants);
  const values = Object.fromEntries(entries.map(([name]) => [name, []]));
  const end = performance.now() + seconds * 1000;
  for (let round = 0; round < most && (round < rounds || performance.now() < end); round++) {
    for (const [name, measure] of round % 2 === 0 ? entries : entries.toReversed())
      values[name].push(await measure());
  }
  return values;
}

/** Milliseconds that a function takes. */
export async function timed(work) {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
