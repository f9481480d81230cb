/**
 * Closed loop: so many callers, each of whom sends its next request when it has the answer to the last. Says what a
 * system can do at most; of latency it says what few, patient callers see.
 *
 * @param send (index) → {status, code}.
 * @returns {ms: latency of each success in order, failures: how many of each kind, elapsed: milliseconds}.
 */
export async function runClosedLoop({ connections, seconds, maxRequests = 100_000, send }) {
  const ms = [];
  const failures = {};
  const started = performance.now();
  let next = 0;
  const caller = async () => {
    while (next < maxRequests && performance.now() - started < seconds * 1000) {
      const sent = performance.now();
      const outcome = await send(next++);
      if (outcome.status === 200) ms.push(performance.now() - sent);
      else countFailure(failures, outcome);
    }
  };
  await Promise.all(Array.from({ length: connections }, caller));
  return { ms, failures, elapsed: performance.now() - started };
}

export function countFailure(failures, { status, code }) {
  const kind = `${status} ${code ?? ''}`.trim();
  failures[kind] = (failures[kind] ?? 0) + 1;
}
