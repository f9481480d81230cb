import { discardBytes } from '../threads/garbage.ts';
import { serveJobs } from '../threads/job-port.ts';
import { byteLengthOf, type JsonJob, type JsonResult, runJsonJob } from './jobs.ts';

/** The JSON thread. Parsing megabytes on the main thread would keep every other request waiting. */
serveJobs<undefined, undefined, JsonJob, JsonResult>(async () => ({
  ready: undefined,
  async run(job) {
    // Later, when the answer has been sent, unless the body is still arriving.
    setImmediate(discardBytes, byteLengthOf(job));
    return runJsonJob(job);
  },
}));
