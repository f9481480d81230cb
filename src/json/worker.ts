import { getHeapStatistics } from 'node:v8';
import { collectGarbage, discardBytes } from '../threads/garbage.ts';
import { serveJobs } from '../threads/job-port.ts';
import { byteLengthOf, type JsonJob, type JsonResult, runJsonJob } from './jobs.ts';

/** A thread that holds less than this, in bytes, keeps it: a full collection also makes V8 forget what it had optimised. */
const KEPT_BYTES = 32 << 20;
/** How long the thread is idle, in milliseconds, before it gives back more than that. */
const IDLE_MS = 500;
/** After bodies of so many bytes it does so at once. */
const LARGE_BYTES = 16 << 20;

/** The JSON thread. Parsing megabytes on the main thread would keep every other request waiting. */
serveJobs<undefined, undefined, JsonJob, JsonResult>(async () => {
  let idle: NodeJS.Timeout | undefined;
  return {
    ready: undefined,
    async run(job) {
      const bytes = byteLengthOf(job);
      clearTimeout(idle);
      try {
        return await runJsonJob(job);
      } finally {
        // When the answer has been sent.
        setImmediate(() => {
          discardBytes(bytes);
          // The body's memory is freed by another thread, and may still be counted.
          if (bytes >= LARGE_BYTES) giveBackMemory(bytes);
        });
        idle = setTimeout(giveBackMemory, IDLE_MS);
      }
    },
  };
});

/** V8 collects vectors and bodies late: they are not in its heap. */
function giveBackMemory(freed = 0): void {
  const { used_heap_size, external_memory } = getHeapStatistics();
  if (used_heap_size + external_memory - freed > KEPT_BYTES) collectGarbage();
}
