import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { ServiceError } from '../../../dist/errors.js';
import { serveJobs } from '../../../dist/threads/job-port.js';
import { Mutex } from '../../../dist/threads/mutex.js';

// A worker that does what the job says, to put the pool through what real inference does only by accident.
serveJobs(async ({ worker, loadMs = 0, failToLoad = false, inOrder = false }) => {
  await sleep(loadMs);
  if (failToLoad) throw new Error('cannot load');
  const mutex = inOrder ? new Mutex() : undefined;
  let held = 0;
  const obey = async ({ ms = 0, fail, dieOutsideJob, dieInJob, echo }, alone) => {
    if (dieOutsideJob)
      setTimeout(() => {
        throw new Error('died idle');
      }, 30);
    if (dieInJob) {
      setTimeout(() => {
        throw new Error('died busy');
      }, 1);
      await new Promise(() => {});
    }
    await sleep(ms);
    if (fail === 'service') throw new ServiceError('NO_FACE_DETECTED', { detail: '0 faces' });
    if (fail) throw new Error(fail);
    return { result: { echo, threadId, alone, worker, held }, transfer: [] };
  };
  return {
    ready: { threadId },
    async run(job, alone) {
      held++;
      await mutex?.lock();
      try {
        return await obey(job, alone);
      } finally {
        held--;
        mutex?.unlock();
      }
    },
  };
});
