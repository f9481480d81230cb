import type { TransferListItem } from 'node:worker_threads';
import { type OverloadReason, ServiceError, withStages } from '../errors.ts';
import type { Logger } from '../observability/log.ts';
import type { FromWorker, JobError } from './job-port.ts';
import { PoolWorker, type QueuedJob } from './pool-worker.ts';

export interface PoolOptions {
  /** The built worker file; it calls `serveJobs`. */
  entry: URL;
  size: number;
  /** Maximum jobs that one worker processes at a time; 1 by default. */
  jobsPerWorker?: number;
  /**
   * Whether a busy worker is sent its next job early, so that it need not wait for this thread between two jobs; the worker
   * must run and answer its jobs in order. Done only while more jobs wait than there are workers, so that no other
   * worker runs out of jobs.
   */
  prefetch?: boolean;
  /** Maximum wait for a worker, in milliseconds. */
  maxWait: number;
  /** Size of V8's young generation in each worker, in MiB; V8's default is 48. */
  youngGenerationMiB?: number;
  log: Logger;
}

export interface RunOptions {
  transfer?: TransferListItem[];
  /** Takes the job out of the queue. A job that has started is finished. */
  signal?: AbortSignal | undefined;
}

/** What a worker loads, by its number. */
export type WorkerSetup = (worker: number) => unknown;

/** Delay before a lost worker is replaced, in milliseconds; doubles with each loss in a row. */
const FIRST_REPLACEMENT_DELAY = 100;
const MAX_REPLACEMENT_DELAY = 30_000;
/** Weight of the newest job in the smoothed service time. */
const SMOOTHING = 0.1;

/**
 * Threads that load once and then run jobs, first come first served, one at a time unless `jobsPerWorker` says otherwise.
 *
 * Why not piscina: aborting a task or closing with a deadline terminates running threads there, which makes ONNX Runtime abort
 * the process; and a worker here takes no job before it has loaded its models. The queue has no limit of its own: callers of
 * `run` hold a permit (see Permits), and those are limited.
 */
export class WorkerPool<Ready, Job, Result> {
  readonly #options: PoolOptions;
  readonly #jobsPerWorker: number;
  readonly #workers = new Set<PoolWorker<Ready, Job, Result>>();
  /** A set keeps the order of insertion and drops an abandoned job at once. */
  readonly #queue = new Set<QueuedJob<Job, Result>>();
  readonly #exits = new Set<Promise<void>>();
  /** The workers it began with; undefined before that. */
  #first: PoolWorker<Ready, Job, Result>[] | undefined;
  #setup: WorkerSetup | undefined;
  #nextJobId = 0;
  #closing = false;
  #lost = 0;
  #lossesInARow = 0;
  #smoothedServiceTime = 0;
  #onIdle: (() => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#jobsPerWorker = options.jobsPerWorker ?? 1;
  }

  /** Workers that have loaded and not been lost. */
  get alive(): number {
    return [...this.#workers].filter((worker) => worker.hasLoaded).length;
  }

  /** Workers that run a job. */
  get busy(): number {
    return [...this.#workers].filter((worker) => worker.running.size > 0).length;
  }

  /** Jobs that workers run. */
  get running(): number {
    return [...this.#workers].reduce((sum, worker) => sum + worker.running.size, 0);
  }

  /** Workers that were lost after they had loaded. */
  get lost(): number {
    return this.#lost;
  }

  /** Jobs that do not run yet. */
  get queued(): number {
    return this.#queue.size + [...this.#workers].reduce((sum, { prefetched }) => sum + prefetched.size, 0);
  }

  /** Milliseconds until a job that joined the queue now would start, by recent experience. */
  get expectedWait(): number {
    const atOnce = this.#options.size * this.#jobsPerWorker;
    return (this.queued * this.#smoothedServiceTime) / atOnce;
  }

  /** The refusal for a caller who gets no permit, with the time after which a place is likely to be free. */
  overloaded(reason: OverloadReason = 'queue_full'): ServiceError {
    const retryAfter = Math.max(1, Math.ceil(this.expectedWait / 1000));
    return new ServiceError('OVERLOADED', { reason, retryAfter });
  }

  /** Starts the threads, which read their modules, before it is known what they load. */
  prepare(): void {
    this.#first ??= Array.from({ length: this.#options.size }, (_, number) => this.#spawn(number));
  }

  /**
   * Lets all workers load side by side.
   *
   * @returns what each worker reported when it was ready.
   * @throws the first failure, after the other workers have ended.
   */
  async start(setup: WorkerSetup): Promise<Ready[]> {
    this.#setup = setup;
    this.prepare();
    const outcomes = await Promise.allSettled(this.#first?.map((worker) => this.#load(worker)) ?? []);
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure) {
      await this.close();
      throw failure.reason;
    }
    return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  }

  /**
   * @returns the result, and the milliseconds until the job was sent to a worker.
   * @throws {ServiceError} what the job threw; DEADLINE_EXCEEDED after `maxWait`; PROCESSING_ERROR if its worker died.
   */
  run(job: Job, { transfer = [], signal }: RunOptions = {}): Promise<{ result: Result; waited: number }> {
    return new Promise((resolve, reject) => {
      if (this.#closing) {
        throw new ServiceError('MODEL_NOT_LOADED', { detail: 'The service is shutting down.' });
      }
      signal?.throwIfAborted();
      // A prefetched job cannot be taken back: the worker runs it, and its answer is dropped.
      const leave = (error: unknown) => {
        this.#queue.delete(queued);
        queued.abandoned = true;
        queued.unwatch();
        reject(error);
        this.#dispatch();
      };
      const expire = () => {
        const queue = performance.now() - queued.enqueued;
        leave(withStages(new ServiceError('DEADLINE_EXCEEDED'), { queue }));
      };
      const timer = setTimeout(expire, this.#options.maxWait);
      const onAbort = () => leave(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      const queued: QueuedJob<Job, Result> = {
        job,
        transfer,
        enqueued: performance.now(),
        sent: 0,
        abandoned: false,
        settle: { resolve, reject },
        unwatch: () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
        },
      };
      this.#queue.add(queued);
      // After the current task, so that the first of several jobs added together is not taken for the only one.
      queueMicrotask(() => this.#dispatch());
    });
  }

  /** Finishes all accepted jobs, then lets the workers end. Nothing is terminated. */
  async close(): Promise<void> {
    this.#closing = true;
    if (!this.#isIdle()) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    for (const worker of this.#workers) worker.close();
    await Promise.all(this.#exits);
  }

  #isIdle(): boolean {
    return this.#queue.size === 0 && this.running === 0;
  }

  #dispatch(): void {
    for (;;) {
      const [next] = this.#queue;
      if (next === undefined) break;
      const free = this.#leastBusy();
      const worker = free ?? this.#nextToPrefetch();
      if (worker === undefined) break;
      this.#send(next, worker, free === undefined);
    }
    if (this.#isIdle()) this.#onIdle?.();
  }

  #send(next: QueuedJob<Job, Result>, worker: PoolWorker<Ready, Job, Result>, prefetch: boolean): void {
    const coresIdle = this.running === 0 && this.#queue.size === 1;
    this.#queue.delete(next);
    try {
      worker.send(this.#nextJobId++, next, { coresIdle, prefetch });
    } catch (error) {
      next.unwatch();
      next.settle.reject(error);
    }
  }

  /** The worker with the fewest jobs that can take another; of several, the one with the lowest number. */
  #leastBusy(): PoolWorker<Ready, Job, Result> | undefined {
    const free = [...this.#workers].filter(
      ({ hasLoaded, running }) => hasLoaded && running.size < this.#jobsPerWorker,
    );
    return free.sort((a, b) => a.running.size - b.running.size || a.number - b.number)[0];
  }

  #nextToPrefetch(): PoolWorker<Ready, Job, Result> | undefined {
    if (!this.#options.prefetch || this.#queue.size <= this.#options.size) return undefined;
    return [...this.#workers].find(({ hasLoaded, prefetched }) => hasLoaded && prefetched.size === 0);
  }

  #spawn(number: number): PoolWorker<Ready, Job, Result> {
    const worker = new PoolWorker<Ready, Job, Result>(number, this.#options, {
      onReady: () => this.#dispatch(),
      onOutcome: (from, outcome) => this.#settle(from, outcome),
      onExit: (lost) => this.#lose(lost),
    });
    const { exited } = worker;
    this.#exits.add(exited);
    exited.then(() => this.#exits.delete(exited));
    this.#workers.add(worker);
    return worker;
  }

  #load(worker: PoolWorker<Ready, Job, Result>): Promise<Ready> {
    return worker.load(this.#setup?.(worker.number));
  }

  #settle(
    worker: PoolWorker<Ready, Job, Result>,
    outcome: Extract<FromWorker<Ready, Result>, { type: 'done' | 'rejected' }>,
  ): void {
    const job = worker.finish(outcome.id);
    if (job === undefined) return;
    const now = performance.now();
    // A prefetched job did not start before the one that ran when it was sent had ended.
    this.#recordServiceTime(now - Math.max(job.sent, this.#jobsPerWorker === 1 ? worker.doneAt : 0));
    worker.doneAt = now;
    this.#lossesInARow = 0;
    if (outcome.type === 'done') {
      job.settle.resolve({ result: outcome.result, waited: job.sent - job.enqueued });
    } else {
      job.settle.reject(revive(outcome.error, job.sent - job.enqueued));
    }
    this.#dispatch();
  }

  #recordServiceTime(ms: number): void {
    const weight = this.#smoothedServiceTime ? SMOOTHING : 1;
    this.#smoothedServiceTime += (ms - this.#smoothedServiceTime) * weight;
  }

  #lose(worker: PoolWorker<Ready, Job, Result>): void {
    this.#workers.delete(worker);
    this.#requeuePrefetched(worker);
    for (const { settle } of worker.running.values()) {
      settle.reject(
        new ServiceError('PROCESSING_ERROR', { cause: new Error('The worker thread of this job died.') }),
      );
    }
    if (worker.hasLoaded && !this.#closing) {
      this.#lost++;
      this.#replaceLater(worker.number);
    }
    this.#dispatch();
  }

  /** Puts the job that a lost worker had been sent early back to the head of the queue. */
  #requeuePrefetched({ prefetched }: PoolWorker<Ready, Job, Result>): void {
    const queued = [...this.#queue];
    this.#queue.clear();
    for (const job of [...prefetched.values(), ...queued]) if (!job.abandoned) this.#queue.add(job);
  }

  #replaceLater(number: number): void {
    const delay = Math.min(FIRST_REPLACEMENT_DELAY * 2 ** this.#lossesInARow, MAX_REPLACEMENT_DELAY);
    this.#lossesInARow++;
    this.#options.log.warn({ delay, alive: this.alive }, 'replacing a lost worker thread');
    setTimeout(() => {
      if (this.#closing) return;
      this.#load(this.#spawn(number)).then(
        () => this.#options.log.info({ alive: this.alive }, 'a worker thread was replaced'),
        (error) => {
          this.#options.log.error({ err: error }, 'a replacement worker thread failed to load');
          if (!this.#closing) this.#replaceLater(number);
        },
      );
    }, delay).unref();
  }
}

/** @param waited milliseconds until the job was sent to the worker. */
function revive({ code, message, detail, stack, stages = {} }: JobError, waited: number): ServiceError {
  const error =
    code === undefined
      ? new ServiceError('PROCESSING_ERROR', { cause: Object.assign(new Error(message), stack && { stack }) })
      : new ServiceError(code, { message, ...(detail === undefined ? {} : { detail }) });
  const { queue = 0, ...others } = stages;
  error.stages = { queue: waited + queue, ...others };
  return error;
}
