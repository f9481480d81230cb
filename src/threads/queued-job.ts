import type { TransferListItem } from 'node:worker_threads';
import { ServiceError } from '../errors.ts';

export interface RunOptions {
  transfer?: TransferListItem[];
  /** Takes the job out of the queue. A job that has started is finished. */
  signal?: AbortSignal | undefined;
}

/** A result, and the milliseconds until its job was sent to a worker. */
export interface JobAnswer<Result> {
  result: Result;
  waited: number;
}

/** A job of a WorkerPool, from `run` to its answer. */
export class QueuedJob<Job, Result> {
  readonly job: Job;
  readonly transfer: TransferListItem[];
  readonly answer: Promise<JobAnswer<Result>>;
  /** When it joined the queue and when it was sent to a worker, on the clock of performance.now(). */
  readonly enqueued = performance.now();
  sent = 0;
  /** Ticks of the pool's watchdog since it has started. */
  ticks = 0;
  /** Whether its caller has been answered already. */
  abandoned = false;
  #resolve!: (answer: JobAnswer<Result>) => void;
  #reject!: (error: unknown) => void;
  #unwatch!: () => void;

  /** @param onLeave called when its caller stops waiting, because of the deadline or the signal. */
  constructor(
    job: Job,
    { transfer = [], signal, maxWait }: RunOptions & { maxWait: number },
    onLeave: (job: QueuedJob<Job, Result>) => void,
  ) {
    this.job = job;
    this.transfer = transfer;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const leave = (error: unknown) => {
      this.abandoned = true;
      // It may have been sent early, and has not started.
      this.fail(error, performance.now());
      onLeave(this);
    };
    const timer = setTimeout(() => leave(new ServiceError('DEADLINE_EXCEEDED')), maxWait);
    const onAbort = () => leave(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#unwatch = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
  }

  /** From now on, it is finished whatever its deadline and its caller do. */
  start(): void {
    this.#unwatch();
  }

  succeed(result: Result): void {
    this.#resolve({ result, waited: this.sent - this.enqueued });
  }

  /** @param waitedUntil when it stopped waiting, on the same clock. */
  fail(error: unknown, waitedUntil = this.sent || performance.now()): void {
    this.#unwatch();
    if (error instanceof ServiceError) {
      const waited = waitedUntil - this.enqueued;
      const { queue = 0, ...others } = error.stages ?? {};
      error.stages = { queue: waited + queue, ...others };
    }
    this.#reject(error);
  }
}
