import { collectGarbage, discardBytes } from '../threads/garbage.ts';
import { serveJobs } from '../threads/job-port.ts';
import { byteLengthOf, type JsonJob, type JsonResult, runJsonJob } from './jobs.ts';

/** What a body of so many bytes took is given back at once: collecting takes a few milliseconds, reading the body a hundred. */
const LARGE_BYTES = 16 << 20;
/** How long the thread is idle, in milliseconds, before it gives back what smaller bodies took. */
const IDLE_MS = 500;

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
        // Later, when the answer has been sent. V8 collects vectors and bodies late: they are not in its heap.
        if (bytes >= LARGE_BYTES) setImmediate(collectGarbage);
        else setImmediate(discardBytes, bytes);
        idle = setTimeout(collectGarbage, IDLE_MS);
      }
    },
  };
});
