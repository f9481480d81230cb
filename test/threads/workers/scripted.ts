import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, threadId } from 'node:worker_threads';
import { ServiceError } from '../../../src/errors.ts';
import { serveJobs } from '../../../src/threads/job-port.ts';
import { Mutex } from '../../../src/threads/mutex.ts';
import { unreadable } from './unreadable.ts';

/** Shared memory that is 0 until the test opens it. */
export type Flag = Int32Array;

export interface ScriptedSetup {
  worker: number;
  /** Loading ends when this is opened. */
  loadUntil?: Flag;
  failToLoad?: boolean;
  /** Fails to load until this is opened. */
  failUntil?: Flag;
  /** Runs its jobs one after the other. */
  inOrder?: boolean;
  /** Counts the jobs that have arrived here. */
  arrived?: Int32Array;
}

/** What the worker does with a job, in this order. */
export interface ScriptedJob {
  /** Throws outside the job when this is opened. */
  dieWhen?: Flag;
  dieInJob?: boolean;
  /** Keeps the thread from doing anything until this is opened, as native code does that hangs. */
  hangUntil?: Flag;
  /** Sends a message that cannot be read, and never an answer. */
  garble?: boolean;
  /** Waits until this is opened. */
  until?: Flag;
  /** Fails with a ServiceError for 'service', otherwise with an Error of this message. */
  fail?: string;
  echo?: unknown;
}

export interface ScriptedResult {
  echo: unknown;
  threadId: number;
  worker: number;
  coresIdle: boolean;
  /** Jobs that this worker held when this one ended, itself included. */
  held: number;
}

/** A worker that does what its jobs say, so that a test decides in which order things happen. */
serveJobs(async ({ worker, loadUntil, failToLoad, failUntil, inOrder, arrived }: ScriptedSetup) => {
  if (loadUntil) await opened(loadUntil);
  if (failToLoad || (failUntil && Atomics.load(failUntil, 0) === 0)) throw new Error('cannot load');
  const mutex = inOrder ? new Mutex() : undefined;
  let held = 0;
  return {
    ready: { threadId },
    async run(job: ScriptedJob, coresIdle: boolean) {
      held++;
      if (arrived) Atomics.add(arrived, 0, 1);
      await mutex?.lock();
      try {
        await perform(job);
        const result: ScriptedResult = { echo: job.echo, threadId, worker, coresIdle, held };
        return { result, transfer: [] };
      } finally {
        held--;
        mutex?.unlock();
      }
    },
  };
});

async function perform({ dieWhen, dieInJob, hangUntil, garble, until, fail }: ScriptedJob): Promise<void> {
  if (dieWhen) opened(dieWhen).then(() => throwOutsideJob('died idle'));
  if (dieInJob) {
    throwOutsideJob('died busy');
    await new Promise(() => {});
  }
  if (hangUntil) Atomics.wait(hangUntil, 0, 0);
  if (garble) {
    parentPort?.postMessage(unreadable());
    await new Promise(() => {});
  }
  if (until) await opened(until);
  if (fail === 'service') throw new ServiceError('NO_FACE_DETECTED', { detail: '0 faces' });
  if (fail) throw new Error(fail);
}

async function opened(flag: Flag): Promise<void> {
  while (Atomics.load(flag, 0) === 0) await sleep(1);
}

function throwOutsideJob(message: string): void {
  setTimeout(() => {
    throw new Error(message);
  }, 1);
}
