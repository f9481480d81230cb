import { setPriority } from 'node:os';

/** Nice value of threads that compute; the thread that answers requests keeps 0 and is scheduled first. */
const NICENESS = 5;

/**
 * Lowers the priority of the calling thread, and of the threads that it starts, below that of the main thread. With more
 * busy threads than cores, a probe would otherwise wait for its time slice. Inside a container, only the service's own
 * threads compete with each other, so no other process gains from it.
 *
 * Only Linux has a priority for each thread (setpriority(2), "C library/kernel differences"). Elsewhere the priority is that of
 * the whole process, and this function does nothing.
 */
export function lowerThreadPriority(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, NICENESS);
  } catch {
    // Not permitted: slower under load, but not wrong.
  }
}
