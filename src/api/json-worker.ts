import { serveJobs } from '../engine/job-port.ts';
import { type JsonJob, type JsonResult, runJsonJob } from './json-jobs.ts';

/** The thread for large JSON bodies: parsing megabytes on the main thread would keep every other request waiting. */
await serveJobs<undefined, undefined, JsonJob, JsonResult>(async () => ({
  ready: undefined,
  run: async (job) => runJsonJob(job),
}));
