import { setTimeout as sleep } from 'node:timers/promises';
import { countFailure, type Failures, type LoopResult, type Send } from './closed-loop.ts';

/** How long the loop waits for answers after the last scheduled start. */
const TIMEOUT_MS = 5_000;

export interface OpenLoop {
  /** Requests per second. */
  rate: number;
  seconds: number;
  maxOpen?: number;
  timeoutMs?: number;
}

export interface OpenLoopResult extends LoopResult {
  /** Requests that were scheduled. */
  due: number;
  /** Requests without an answer at the end. `ms` has the time that each has waited. */
  unfinished: number;
}

/**
 * Open loop: requests are due at a fixed rate, whatever became of earlier ones, as with many independent callers.
 *
 * Latency counts from the moment a request was due, not from when it was sent. Otherwise a generator that falls behind, or
 * that waits because `maxOpen` requests are open, would leave out the waiting that a stalled server causes ("coordinated
 * omission").
 */
export async function runOpenLoop({
  rate,
  seconds,
  maxOpen = 256,
  timeoutMs = TIMEOUT_MS,
  send,
}: OpenLoop & { send: Send }): Promise<OpenLoopResult> {
  const count = Math.max(1, Math.round(rate * seconds));
  const start = performance.now();
  const dueAt = (index: number) => start + (index * 1000) / rate;
  const ms: number[] = [];
  const failures: Failures = {};
  const open = new Map<number, Promise<void>>();
  let settled = false;
  let lastEnd = start;
  for (let index = 0; index < count; index++) {
    const due = dueAt(index);
    if (due > performance.now()) await sleep(due - performance.now());
    while (open.size >= maxOpen) await Promise.race(open.values());
    const call = send(index).then((outcome) => {
      open.delete(index);
      if (settled) return;
      lastEnd = performance.now();
      if (outcome.status === 200) ms.push(lastEnd - due);
      else countFailure(failures, outcome);
    });
    open.set(index, call);
  }
  await Promise.race([Promise.all(open.values()), sleep(timeoutMs)]);
  settled = true;
  const now = performance.now();
  const unfinished = [...open.keys()].map((index) => now - dueAt(index));
  return {
    due: count,
    ms: [...ms, ...unfinished],
    unfinished: unfinished.length,
    failures,
    elapsed: lastEnd - start,
  };
}
