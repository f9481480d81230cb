import { parentPort, type TransferListItem } from 'node:worker_threads';
import { type ErrorCode, type ErrorMembers, errorMessage, ServiceError, stagesOfError } from '../errors.ts';
import { lowerThreadPriority } from './priority.ts';

/** What the pool sends to a worker: `load` first, unless the pool closes before that. */
export type ToWorker<Setup, Job> =
  | { type: 'load'; setup: Setup }
  | { type: 'run'; id: number; job: Job; coresIdle: boolean }
  | { type: 'close' };

/** What a worker sends to the pool. After `failed`, which reports that loading failed, the worker ends. */
export type FromWorker<Ready, Result> =
  | { type: 'ready'; ready: Ready }
  | { type: 'failed'; message: string }
  | Outcome<Result>;

/** How a job ended, by its id. */
export type Outcome<Result> =
  | { type: 'done'; id: number; result: Result }
  | { type: 'rejected'; id: number; error: JobError };

/** An error as plain data, since a ServiceError does not survive structured cloning. Without a code it was unforeseen. */
export interface JobError {
  code?: ErrorCode;
  message: string;
  detail?: string;
  members?: ErrorMembers;
  stack?: string;
  /** Milliseconds of the stages that the job had gone through. */
  stages?: Readonly<Record<string, number>>;
}

export interface JobOutcome<Result> {
  result: Result;
  /** Those of the result's buffers that are transferred and not copied. */
  transfer: TransferListItem[];
}

export interface JobHandler<Ready, Job, Result> {
  /** Reported to the pool when this worker can take jobs. */
  ready: Ready;
  /** @param coresIdle whether the pool had no other job when this one was sent. Such jobs go to worker 0. */
  run(job: Job, coresIdle: boolean): Promise<JobOutcome<Result>>;
}

/**
 * Runs a worker thread: it loads once, runs jobs until the pool sends `close`, and then ends by itself. The pool decides how
 * many jobs a worker has at a time; with more than one, the handler's `run` is called again before its last call has
 * settled. The thread is never terminated from outside, because terminating it inside ONNX Runtime aborts the process.
 */
export function serveJobs<Setup, Ready, Job, Result>(
  load: (setup: Setup) => Promise<JobHandler<Ready, Job, Result>>,
): void {
  const port = parentPort;
  if (port === null) throw new Error('This file runs as a worker thread.');
  lowerThreadPriority();
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
  const run = async ({ id, job, coresIdle }: Extract<ToWorker<Setup, Job>, { type: 'run' }>) => {
    try {
      if (handler === undefined) throw new Error('A worker was given a job before it had loaded.');
      const { result, transfer } = await handler.run(job, coresIdle);
      send({ type: 'done', id, result }, transfer);
    } catch (error) {
      send({ type: 'rejected', id, error: describe(error) });
    }
  };
  // Its job would never be answered. The pool replaces the thread and fails what it has.
  port.on('messageerror', (error) => {
    throw error;
  });
  port.on('message', (message: ToWorker<Setup, Job>) => {
    if (message.type === 'load') begin(message.setup);
    else if (message.type === 'run') run(message);
    else port.close();
  });
}

function describe(error: unknown): JobError {
  const stages = stagesOfError(error);
  const common = { message: errorMessage(error), ...(stages === undefined ? {} : { stages }) };
  if (error instanceof ServiceError) {
    const { code, detail, members } = error;
    return {
      ...common,
      code,
      ...(detail === undefined ? {} : { detail }),
      ...(members === undefined ? {} : { members }),
    };
  }
  const stack = error instanceof Error ? error.stack : undefined;
  return { ...common, ...(stack === undefined ? {} : { stack }) };
}
