import { parentPort, type TransferListItem, workerData } from 'node:worker_threads';
import { type ErrorCode, errorMessage, ServiceError } from '../errors.ts';
import { yieldToMainThread } from './thread-priority.ts';

/** What the pool sends to a worker. */
export type ToWorker<Job> = { type: 'run'; id: number; job: Job; alone: boolean } | { type: 'close' };

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
 * Runs a worker thread: loads once, then answers jobs until it is told to close, and ends by itself. The pool decides how
 * many it has at one time; with more than one, the handler's `run` is called before its last call has settled. It is never
 * terminated from outside, because terminating a thread inside ONNX Runtime aborts the process.
 */
export async function serveJobs<Setup, Ready, Job, Result>(
  load: (setup: Setup) => Promise<JobHandler<Ready, Job, Result>>,
): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('This file runs as a worker thread.');
  yieldToMainThread();
  const send = (message: FromWorker<Ready, Result>, transfer: TransferListItem[] = []) =>
    port.postMessage(message, transfer);

  let handler: JobHandler<Ready, Job, Result>;
  try {
    handler = await load(workerData as Setup);
  } catch (error) {
    send({ type: 'failed', message: errorMessage(error) });
    port.close();
    return;
  }
  port.on('message', async (message: ToWorker<Job>) => {
    if (message.type === 'close') {
      port.close();
      return;
    }
    try {
      const { result, transfer } = await handler.run(message.job, message.alone);
      send({ type: 'done', id: message.id, result }, transfer);
    } catch (error) {
      send({ type: 'rejected', id: message.id, error: describe(error) });
    }
  });
  send({ type: 'ready', ready: handler.ready });
}

function describe(error: unknown): JobError {
  if (error instanceof ServiceError) {
    const { code, message, detail } = error;
    return { code, message, ...(detail === undefined ? {} : { detail }) };
  }
  const stack = error instanceof Error ? error.stack : undefined;
  return { message: errorMessage(error), ...(stack === undefined ? {} : { stack }) };
}
