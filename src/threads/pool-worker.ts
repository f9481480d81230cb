import { type TransferListItem, Worker } from 'node:worker_threads';
import { errorMessage } from '../errors.ts';
import type { Logger } from '../observability/log.ts';
import type { FromWorker, Outcome, ToWorker } from './job-port.ts';
import type { QueuedJob } from './queued-job.ts';

export interface PoolWorkerOptions {
  entry: URL;
  youngGenerationMiB?: number | undefined;
  log: Logger;
}

/** What a worker reports to its pool. */
export interface PoolWorkerEvents<Result> {
  onReady(): void;
  onOutcome(outcome: Outcome<Result>): void;
  /** It sent a message that cannot be read: one of its jobs has ended, and it is not known which. */
  onUnreadable(): void;
  onExit(): void;
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
  /** Undefined if the system refused a thread. */
  readonly #thread: Worker | undefined;
  #failure: unknown;

  constructor(number: number, options: PoolWorkerOptions, events: PoolWorkerEvents<Result>) {
    this.number = number;
    this.#thread = this.#startThread(options);
    this.exited = this.#watchEnd(options.log, events);
    this.loading = new Promise((resolve, reject) => {
      this.#thread?.on('message', (message: FromWorker<Ready, Result>) => {
        if (message.type === 'ready') {
          this.hasLoaded = true;
          resolve(message.ready);
          events.onReady();
        } else if (message.type === 'failed') {
          this.#failure = new Error(message.message);
        } else {
          events.onOutcome(message);
        }
      });
      this.exited.then(() => {
        reject(this.#failure ?? new Error('A worker thread ended while it was loading.'));
      });
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
      queued.start();
      this.running.set(id, queued);
    }
  }

  /** Takes a job off the list, because it has ended, and counts the prefetched one as running. */
  finish(id: number): QueuedJob<Job, Result> | undefined {
    const job = this.running.get(id);
    if (job === undefined) return undefined;
    this.running.delete(id);
    for (const [nextId, next] of this.prefetched) {
      next.start();
      this.running.set(nextId, next);
    }
    this.prefetched.clear();
    return job;
  }

  /** Lets the thread end by itself, when it next reads its messages. Terminating it inside ONNX Runtime would abort the process. */
  close(): void {
    this.#post({ type: 'close' });
  }

  /** Ends the thread at once. Only for threads that run nothing but JavaScript. */
  terminate(): void {
    this.#thread?.terminate();
  }

  #startThread({ entry, youngGenerationMiB }: PoolWorkerOptions): Worker | undefined {
    try {
      return new Worker(
        entry,
        youngGenerationMiB ? { resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMiB } } : {},
      );
    } catch (error) {
      this.#failure = error;
      return undefined;
    }
  }

  async #watchEnd(log: Logger, events: PoolWorkerEvents<Result>): Promise<void> {
    // An uncaught exception; 'exit' follows.
    this.#thread?.on('error', (error) => {
      this.#failure = error;
      if (this.hasLoaded) log.error({ err: error }, 'a worker thread threw outside a job');
      else log.error(`A worker thread could not start. ${errorMessage(error)}`);
    });
    this.#thread?.on('messageerror', (error) => {
      log.error({ err: error }, 'a message of a worker thread cannot be read');
      events.onUnreadable();
    });
    await new Promise((resolve) => {
      if (this.#thread) this.#thread.on('exit', resolve);
      else setImmediate(resolve);
    });
    events.onExit();
  }

  #post(message: ToWorker<unknown, Job>, transfer: TransferListItem[] = []): void {
    this.#thread?.postMessage(message, transfer);
  }
}
