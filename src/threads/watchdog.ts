/**
 * A limit is this many ticks. Time is counted in ticks of this process and not read from a clock, so that a process that was
 * stopped, or a machine that slept, does not take all its jobs for hanging when it goes on.
 */
const TICKS = 10;

/**
 * Finds work that takes longer than a limit, to within a tenth of it.
 *
 * @param limit in milliseconds; 0 for none.
 * @param works everything that runs, with the ticks that each has run.
 * @param onExpired called once for each that exceeds the limit.
 * @returns a function that ends it.
 */
export function watchWork<Work extends { ticks: number }>(
  limit: number,
  works: () => Iterable<Work>,
  onExpired: (work: Work) => void,
): () => void {
  if (limit === 0) return () => {};
  const tick = () => {
    for (const work of [...works()]) if (++work.ticks === TICKS + 1) onExpired(work);
  };
  const timer = setInterval(tick, limit / TICKS).unref();
  return () => clearInterval(timer);
}
