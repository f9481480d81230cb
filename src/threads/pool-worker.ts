import { type TransferListItem, Worker } from 'node:worker_threads';
import type { Logger } from '../observability/log.ts';
import type { FromWorker, ToWorker } from './job-port.ts';

export interface QueuedJob<Job, Result> {
  job: Job;
  transfer: TransferListItem[];
  /** When it joined the queue and when it was sent to a worker, on the clock of performance.now(). */
  enqueued: number;
  sent: number;
  /** Whether its caller has been answered already. */
  abandoned: boolean;
  settle: { resolve: (value: { result: Result; waited: number }) => void; reject: (error: unknown) => void };
  /** Removes the timer and the listener that can take the job out of the queue. */
  unwatch: () => void;
}

export interface PoolWorkerOptions {
  entry: URL;
  youngGenerationMiB?: number | undefined;
  log: Logger;
}

/** What a worker reports to its pool. */
export interface PoolWorkerEvents<Ready, Job, Result> {
  onReady(): void;
  onOutcome(
    worker: PoolWorker<Ready, Job, Result>,
    outcome: Extract<FromWorker<Ready, Result>, { type: 'done' | 'rejected' }>,
  ): void;
  onExit(worker: PoolWorker<Ready, Job, Result>): void;
}

/** One thread of a WorkerPool, and the jobs that it has been sent. */
export class PoolWorker<Ready, Job, Result> {
  /** From 0; a replacement has the number of the worker that was lost. */
  readonly number: number;
  /** Rejects when the thread ends before it has loaded. */
  readonly loading: Promise<Ready>;
  readonly exited: Promise<void>;
  hasLoaded = false;
  /** The jobs that it processes, by id. */
  readonly running = new Map<number, QueuedJob<Job, Result>>();
  /** The job that it was sent early, if any, by id. Until it runs, its deadline counts as if it were in the queue. */
  readonly prefetched = new Map<number, QueuedJob<Job, Result>>();
  /** When it last finished a job. */
  doneAt = 0;
  readonly #thread: Worker;

  constructor(number: number, options: PoolWorkerOptions, events: PoolWorkerEvents<Ready, Job, Result>) {
    const { entry, youngGenerationMiB, log } = options;
    this.number = number;
    this.#thread = new Worker(
      entry,
      youngGenerationMiB ? { resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMiB } } : {},
    );
    let loadFailure: Error | undefined;
    // An uncaught exception; 'exit' follows.
    this.#thread.on('error', (error) => {
      loadFailure = error;
      log.error({ err: error }, 'a worker thread threw outside a job');
    });
    this.exited = new Promise((resolve) => {
      this.#thread.on('exit', () => {
        events.onExit(this);
        resolve();
      });
    });
    this.loading = new Promise((resolve, reject) => {
      this.#thread.on('message', (message: FromWorker<Ready, Result>) => {
        if (message.type === 'ready') {
          this.hasLoaded = true;
          resolve(message.ready);
          events.onReady();
        } else if (message.type === 'failed') {
          loadFailure = new Error(message.message);
        } else {
          events.onOutcome(this, message);
        }
      });
      this.exited.then(() => reject(loadFailure ?? new Error('A worker thread ended while it was loading.')));
    });
    // It may fail before `load` is called.
    this.loading.catch(() => {});
  }

  /** Tells the thread what to load. Settles when it has loaded or failed to. */
  load(setup: unknown): Promise<Ready> {
    this.#post({ type: 'load', setup });
    return this.loading;
  }

  /**
   * Sends a job, to run now or, with `prefetch`, after the one that is running.
   *
   * @throws when the job cannot be cloned, or its buffer has been transferred before; the worker then does not have it.
   */
  send(id: number, queued: QueuedJob<Job, Result>, options: { coresIdle: boolean; prefetch: boolean }): void {
    const { coresIdle, prefetch } = options;
    // A prefetched job is copied and not transferred: it must survive a worker that dies of the job before it.
    queued.sent = performance.now();
    this.#post({ type: 'run', id, job: queued.job, coresIdle }, prefetch ? [] : queued.transfer);
    if (prefetch) {
      this.prefetched.set(id, queued);
    } else {
      queued.unwatch();
      this.running.set(id, queued);
    }
  }

  /** Takes a job off the list, because it has ended, and counts the prefetched one as running. */
  finish(id: number): QueuedJob<Job, Result> | undefined {
    const job = this.running.get(id);
    if (job === undefined) return undefined;
    this.running.delete(id);
    for (const [nextId, next] of this.prefetched) {
      next.unwatch();
      this.running.set(nextId, next);
    }
    this.prefetched.clear();
    return job;
  }

  /** Lets the thread end by itself. Terminating it inside ONNX Runtime would abort the process. */
  close(): void {
    this.#post({ type: 'close' });
  }

  #post(message: ToWorker<unknown, Job>, transfer: TransferListItem[] = []): void {
    this.#thread.postMessage(message, transfer);
  }
}
