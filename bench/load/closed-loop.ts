import type { Outcome } from './client.ts';

export type Send = (index: number) => Promise<Outcome>;

/** Kind, for example "503 OVERLOADED" → count. */
export type Failures = Record<string, number>;

export interface ClosedLoop {
  /** Callers, each with one request open at a time. */
  connections: number;
  seconds: number;
  maxRequests?: number;
}

export interface LoopResult {
  /** Latency of each success in milliseconds. */
  ms: number[];
  failures: Failures;
  /** Milliseconds. */
  elapsed: number;
}

/**
 * Closed loop: each caller sends its next request when it has the answer to the last one. Finds the maximum throughput of a
 * system; its latencies are those that a fixed, small number of callers sees.
 */
export async function runClosedLoop({
  connections,
  seconds,
  maxRequests = 100_000,
  send,
}: ClosedLoop & { send: Send }): Promise<LoopResult> {
  const ms: number[] = [];
  const failures: Failures = {};
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

export function countFailure(failures: Failures, { status, code }: Outcome): void {
  const kind = `${status} ${code ?? ''}`.trim();
  failures[kind] = (failures[kind] ?? 0) + 1;
}
