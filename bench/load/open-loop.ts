import { setTimeout as sleep } from 'node:timers/promises';
import { countFailure } from './closed-loop.ts';

/** How long after the last scheduled start an answer is waited for, in milliseconds. */
const PATIENCE_MS = 5_000;

/**
 * Open loop: requests are due at a fixed rate, whatever became of those before, as when many independent people call.
 *
 * Latency counts from the moment a request was due, not from when it was sent. A generator that falls behind, or that
 * waits because `maxOpen` requests are open, would otherwise leave out just the waiting that a stalled server causes
 * ("coordinated omission"). What has no answer in the end counts with the time it has waited so far.
 *
 * @param send (index) → {status, code}.
 */
export async function runOpenLoop({ rate, seconds, maxOpen = 256, patience = PATIENCE_MS, send }) {
  const count = Math.max(1, Math.round(rate * seconds));
  const start = performance.now();
  const dueAt = (index) => start + (index * 1000) / rate;
  const ms = [];
  const failures = {};
  const open = new Map();
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
  await Promise.race([Promise.all(open.values()), sleep(patience)]);
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
