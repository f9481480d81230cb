import { parentPort, type TransferListItem } from 'node:worker_threads';
import { type ErrorCode, errorMessage, ServiceError } from '../errors.ts';
import { yieldToMainThread } from './priority.ts';

/** What the pool sends to a worker: first what to load, or that there is nothing to do after all. */
export type ToWorker<Setup, Job> =
  | { type: 'load'; setup: Setup }
  | { type: 'run'; id: number; job: Job; alone: boolean }
  | { type: 'close' };

/** What a worker sends to the pool. `failed` is the end of a worker that could not load. */
export type FromWorker<Ready, Result> =
  | { type: 'ready'; ready: Ready }
  | { type: 'failed'; message: string }
  | { type: 'done'; id: number; result: Result }
  | { type: 'rejected'; id: number; error: JobError };

/** An error that survives the way between threads. Without a code it was unforeseen. */
export interface JobError {
  code?: ErrorCode;
  message: string;
  detail?: string;
  stack?: string;
}

export interface JobHandler<Ready, Job, Result> {
  /** What the pool is told once this worker can take jobs. */
  ready: Ready;
  /** @param alone whether the pool had nothing else to do when the job started. The lowest numbers get such jobs. */
  run(job: Job, alone: boolean): Promise<{ result: Result; transfer: TransferListItem[] }>;
}

/**
 * Runs a worker thread: loads once, when it is told what, then answers jobs until it is told to close, and ends by
 * itself. The pool decides how many it has at one time; with more than one, the handler's `run` is called before its last
 * call has settled. It is never terminated from outside, because terminating a thread inside ONNX Runtime aborts the
 * process.
 */
export function serveJobs<Setup, Ready, Job, Result>(
  load: (setup: Setup) => Promise<JobHandler<Ready, Job, Result>>,
): void {
  const port = parentPort;
  if (port === null) throw new Error('This file runs as a worker thread.');
  yieldToMainThread();
  const send = (message: FromWorker<Ready, Result>, transfer: TransferListItem[] = []) =>
    port.postMessage(message, transfer);

  let handler: JobHandler<Ready, Job, Result> | undefined;
  const begin = async (setup: Setup) => {
    try {
      handler = await load(setup);
      send({ type: 'ready', ready: handler.ready });
    } catch (error) {
      send({ type: 'failed', message: errorMessage(error) });
      port.close();
    }
  };
  const run = async ({ id, job, alone }: Extract<ToWorker<Setup, Job>, { type: 'run' }>) => {
    try {
      if (handler === undefined) throw new Error('A worker was given a job before it had loaded.');
      const { result, transfer } = await handler.run(job, alone);
      send({ type: 'done', id, result }, transfer);
    } catch (error) {
      send({ type: 'rejected', id, error: describe(error) });
    }
  };
  port.on('message', (message: ToWorker<Setup, Job>) => {
    if (message.type === 'load') begin(message.setup);
    else if (message.type === 'run') run(message);
    else port.close();
  });
}

function describe(error: unknown): JobError {
  if (error instanceof ServiceError) {
    const { code, message, detail } = error;
    return { code, message, ...(detail === undefined ? {} : { detail }) };
  }
  const stack = error instanceof Error ? error.stack : undefined;
  return { message: errorMessage(error), ...(stack === undefined ? {} : { stack }) };
}
