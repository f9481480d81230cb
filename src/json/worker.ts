import { collectGarbage, discardBytes } from '../threads/garbage.ts';
import { serveJobs } from '../threads/job-port.ts';
import { byteLengthOf, type JsonJob, type JsonResult, runJsonJob } from './jobs.ts';

/** How long the thread is idle, in milliseconds, before it gives back what its last bodies took. */
const IDLE_MS = 500;

/** The JSON thread. Parsing megabytes on the main thread would keep every other request waiting. */
serveJobs<undefined, undefined, JsonJob, JsonResult>(async () => {
  let idle: NodeJS.Timeout | undefined;
  return {
    ready: undefined,
    async run(job) {
      // A job makes little garbage of V8's own, so V8 would keep the vectors of the largest one until the next.
      clearTimeout(idle);
      idle = setTimeout(collectGarbage, IDLE_MS);
      // Later, when the answer has been sent, unless the body is still arriving.
      setImmediate(discardBytes, byteLengthOf(job));
      return runJsonJob(job);
    },
  };
});
