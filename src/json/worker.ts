import { discardBytes } from '../threads/garbage.ts';
import { serveJobs } from '../threads/job-port.ts';
import { bytesOf, type JsonJob, type JsonResult, runJsonJob } from './jobs.ts';

/** The thread for large JSON bodies: parsing megabytes on the main thread would keep every other request waiting. */
serveJobs<undefined, undefined, JsonJob, JsonResult>(async () => ({
  ready: undefined,
  async run(job) {
    // Not now: by then the answer has been sent, unless the body is still on its way.
    setImmediate(discardBytes, bytesOf(job));
    return runJsonJob(job);
  },
}));
