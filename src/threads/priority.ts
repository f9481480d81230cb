import { setPriority } from 'node:os';

/** Nice value of a thread that computes: enough for the thread that answers to be scheduled before it. */
const NICENESS = 5;

/**
 * Lowers the priority of the calling thread, and of the threads it will start, below that of the main thread. With more
 * busy threads than cores, a probe would otherwise wait for its time slice. Within a container only the service's own
 * threads are weighed against each other, so no other process gains by it.
 *
 * Linux alone has priorities for threads (setpriority(2), "C library/kernel differences"); elsewhere it is the whole
 * process, which would gain nothing.
 */
export function yieldToMainThread(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, NICENESS);
  } catch {
    // Not allowed here: it is slower under load, not wrong.
  }
}
