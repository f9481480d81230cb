import { type OverloadReason, ServiceError } from '../errors.ts';
import type { JobError, Outcome } from './job-port.ts';
import type { PoolWorker } from './pool-worker.ts';
import { type JobAnswer, QueuedJob, type RunOptions } from './queued-job.ts';
import { type WorkerSetup, Workers, type WorkersOptions } from './workers.ts';

export interface PoolOptions extends WorkersOptions {
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
}

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
  readonly #workers: Workers<Ready, Job, Result>;
  /** A set keeps the order of insertion and drops an abandoned job at once. */
  readonly #queue = new Set<QueuedJob<Job, Result>>();
  #nextJobId = 0;
  #closing = false;
  #smoothedServiceTime = 0;
  #onIdle: (() => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#jobsPerWorker = options.jobsPerWorker ?? 1;
    this.#workers = new Workers(options, {
      onReady: () => this.#dispatch(),
      onOutcome: (worker, outcome) => this.#settle(worker, outcome),
      onLost: (worker, error) => this.#dropJobs(worker, error),
      onNoneLeft: (error) => this.#refuseQueue(error),
    });
  }

  /** Workers that have loaded and not been lost. */
  get alive(): number {
    return this.#workers.alive;
  }

  /** Workers that were lost, dead or hanging, after they had loaded. */
  get lost(): number {
    return this.#workers.lost;
  }

  /** Threads of lost workers that still hang. */
  get hung(): number {
    return this.#workers.hung;
  }

  /** Workers that run a job. */
  get busy(): number {
    return [...this.#workers.usable].filter((worker) => worker.running.size > 0).length;
  }

  /** Jobs that workers run. */
  get running(): number {
    return [...this.#workers.usable].reduce((sum, worker) => sum + worker.running.size, 0);
  }

  /** Jobs that do not run yet. */
  get queued(): number {
    const prefetched = [...this.#workers.usable].reduce((sum, worker) => sum + worker.prefetched.size, 0);
    return this.#queue.size + prefetched;
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
    this.#workers.prepare();
  }

  /**
   * Lets all workers load side by side.
   *
   * @returns what each worker reported when it was ready.
   * @throws the first failure, after the other workers have ended.
   */
  async start(setup: WorkerSetup): Promise<Ready[]> {
    try {
      return await this.#workers.start(setup);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Lets the workers load in the background. Those that fail to are started again and again, as lost ones are. */
  startPersistently(setup: WorkerSetup): void {
    this.#workers.startPersistently(setup);
  }

  /**
   * @returns the result, and the milliseconds until the job was sent to a worker.
   * @throws {ServiceError} what the job threw; DEADLINE_EXCEEDED after `maxWait`; PROCESSING_ERROR if its worker died or
   *   hangs; OVERLOADED while no worker can be started.
   */
  async run(job: Job, options: RunOptions = {}): Promise<JobAnswer<Result>> {
    if (this.#closing) {
      throw new ServiceError('MODEL_NOT_LOADED', { detail: 'The service is shutting down.' });
    }
    options.signal?.throwIfAborted();
    const { refusal } = this.#workers;
    if (refusal) throw refusal;
    // A prefetched job cannot be taken back: the worker runs it, and its answer is dropped.
    const queued = new QueuedJob<Job, Result>(job, { ...options, maxWait: this.#options.maxWait }, () => {
      this.#queue.delete(queued);
      this.#dispatch();
    });
    this.#queue.add(queued);
    // After the current task, so that the first of several jobs added together is not taken for the only one.
    queueMicrotask(() => this.#dispatch());
    return queued.answer;
  }

  /** Finishes all accepted jobs, then lets the workers end. Nothing is terminated, and threads that hang are not waited for. */
  async close(): Promise<void> {
    this.#closing = true;
    if (!this.#isIdle()) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    await this.#workers.close();
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
      next.fail(error);
    }
  }

  /** The worker with the fewest jobs that can take another; of several, the one with the lowest number. */
  #leastBusy(): PoolWorker<Ready, Job, Result> | undefined {
    const free = [...this.#workers.usable].filter(
      ({ hasLoaded, running }) => hasLoaded && running.size < this.#jobsPerWorker,
    );
    return free.sort((a, b) => a.running.size - b.running.size || a.number - b.number)[0];
  }

  #nextToPrefetch(): PoolWorker<Ready, Job, Result> | undefined {
    if (!this.#options.prefetch || this.#queue.size <= this.#options.size) return undefined;
    return [...this.#workers.usable].find(({ hasLoaded, prefetched }) => hasLoaded && prefetched.size === 0);
  }

  #settle(worker: PoolWorker<Ready, Job, Result>, outcome: Outcome<Result>): void {
    const job = worker.finish(outcome.id);
    if (job === undefined) return;
    const now = performance.now();
    // A prefetched job did not start before the one that ran when it was sent had ended.
    this.#recordServiceTime(now - Math.max(job.sent, this.#jobsPerWorker === 1 ? worker.doneAt : 0));
    worker.doneAt = now;
    this.#workers.recordSuccess();
    if (outcome.type === 'done') job.succeed(outcome.result);
    else job.fail(revive(outcome.error));
    this.#dispatch();
  }

  #recordServiceTime(ms: number): void {
    const weight = this.#smoothedServiceTime ? SMOOTHING : 1;
    this.#smoothedServiceTime += (ms - this.#smoothedServiceTime) * weight;
  }

  /** Fails the jobs of a lost worker. One that it was sent early goes back to the head of the queue. */
  #dropJobs({ running, prefetched }: PoolWorker<Ready, Job, Result>, error: ServiceError): void {
    const queued = [...this.#queue];
    this.#queue.clear();
    for (const job of [...prefetched.values(), ...queued]) if (!job.abandoned) this.#queue.add(job);
    prefetched.clear();
    for (const job of running.values()) job.fail(error);
    running.clear();
    this.#dispatch();
  }

  #refuseQueue(error: ServiceError): void {
    const refused = [...this.#queue];
    this.#queue.clear();
    for (const job of refused) job.fail(error);
    this.#dispatch();
  }
}

function revive({ code, stack, stages, ...details }: JobError): ServiceError {
  const error =
    code === undefined
      ? new ServiceError('PROCESSING_ERROR', {
          cause: Object.assign(new Error(details.message), stack && { stack }),
        })
      : new ServiceError(code, details);
  error.stages = stages;
  return error;
}
