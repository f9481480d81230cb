import { type TransferListItem, Worker } from 'node:worker_threads';
import { ServiceError } from '../errors.ts';
import type { Logger } from '../observability/log.ts';
import type { FromWorker, JobError, ToWorker } from './job-port.ts';

export interface PoolOptions {
  /** The built worker file; it calls `serveJobs`. */
  entry: URL;
  size: number;
  /** Most jobs that one worker has in its hands at one time; 1 unless it is said. */
  jobsPerWorker?: number;
  /**
   * Whether a worker is given its next job before it is done with the last, so that it need not wait for this thread in
   * between; it must work on them and answer them in the order in which they came. Only as long as more jobs wait than there are workers,
   * so that no other worker will miss it.
   */
  handsAhead?: boolean;
  /** Longest wait for a worker, in milliseconds. */
  maxWait: number;
  /** What V8 sets aside in each worker for new objects, in MiB; V8's default is 48. */
  youngGenerationMiB?: number;
  log: Logger;
}

export interface RunOptions {
  transfer?: TransferListItem[];
  /** Takes the job out of the queue. A job that has started is finished. */
  signal?: AbortSignal | undefined;
}

/** What the worker of a number is told to load. They are numbered from 0; a replacement has the number of the lost one. */
export type WorkerSetup = (worker: number) => unknown;

interface QueuedJob<Job, Result> {
  job: Job;
  transfer: TransferListItem[];
  enqueued: number;
  started: number;
  /** Whether its caller has had an answer already. */
  abandoned: boolean;
  settle: { resolve: (value: { result: Result; waited: number }) => void; reject: (error: unknown) => void };
  /** Removes the timer and the listener that can take the job out of the queue. */
  unwatch: () => void;
}

interface Member<Ready, Job, Result> {
  number: number;
  worker: Worker;
  /** Rejects when the worker ends before it has loaded. */
  loading: Promise<Ready>;
  hasLoaded: boolean;
  /** What it has in its hands, by the number under which it was sent. */
  jobs: Map<number, QueuedJob<Job, Result>>;
  /** What it was given ahead, likewise: at most one. Still in the queue for everybody else, with a deadline. */
  ahead: Map<number, QueuedJob<Job, Result>>;
  /** When it was last done with a job. */
  doneAt: number;
}

/** Delay before a lost worker is replaced, in milliseconds; doubles with each loss in a row. */
const FIRST_REPLACEMENT_DELAY = 100;
const LONGEST_REPLACEMENT_DELAY = 30_000;
/** Weight of the newest job in the smoothed service time. */
const SMOOTHING = 0.1;

/**
 * Threads that each load once and then handle jobs, one at a time unless told otherwise, first come first served.
 *
 * Why not piscina: there, aborting a task and closing with a deadline terminate running threads, which ONNX Runtime
 * answers by aborting the process; and a worker here is of no use before it has loaded its models. The queue has no
 * limit of its own: who calls `run` holds a permit (see Permits), and those are limited.
 */
export class WorkerPool<Ready, Job, Result> {
  readonly #options: PoolOptions;
  readonly #jobsPerWorker: number;
  readonly #members = new Set<Member<Ready, Job, Result>>();
  /** A set keeps the order of insertion and forgets an abandoned job at once. */
  readonly #queue = new Set<QueuedJob<Job, Result>>();
  readonly #exits = new Set<Promise<void>>();
  /** The workers it began with; undefined before that. */
  #first: Member<Ready, Job, Result>[] | undefined;
  #setup: WorkerSetup | undefined;
  #nextJobId = 0;
  #closing = false;
  #lost = 0;
  /** Losses in a row. */
  #losses = 0;
  #smoothedServiceTime = 0;
  #onIdle: (() => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#jobsPerWorker = options.jobsPerWorker ?? 1;
  }

  /** Workers that have loaded and not been lost. */
  get alive(): number {
    return [...this.#members].filter((member) => member.hasLoaded).length;
  }

  /** Workers that have a job. */
  get busy(): number {
    return [...this.#members].filter((member) => member.jobs.size > 0).length;
  }

  /** Jobs that workers have in their hands. */
  get running(): number {
    return [...this.#members].reduce((sum, member) => sum + member.jobs.size, 0);
  }

  /** Workers that were lost after they had loaded. */
  get lost(): number {
    return this.#lost;
  }

  get queued(): number {
    return this.#queue.size + [...this.#members].reduce((sum, { ahead }) => sum + ahead.size, 0);
  }

  /** Milliseconds until a job that joined the queue now would be taken up, by recent experience. */
  get expectedWait(): number {
    const atOnce = this.#options.size * this.#jobsPerWorker;
    return (this.queued * this.#smoothedServiceTime) / atOnce;
  }

  /** The refusal for a caller who gets no permit: it says when a place is likely to be free. */
  overloaded(): ServiceError {
    const retryAfter = Math.max(1, Math.ceil(this.expectedWait / 1000));
    return new ServiceError('OVERLOADED', { reason: 'queue_full', retryAfter });
  }

  /** Begins what can be done before it is known what the workers load: their threads start and read their modules. */
  prepare(): void {
    this.#first ??= Array.from({ length: this.#options.size }, (_, number) => this.#spawn(number));
  }

  /**
   * Lets all workers load side by side.
   *
   * @returns what each said when it was ready.
   * @throws the first failure, after the other workers have ended.
   */
  async start(setup: WorkerSetup): Promise<Ready[]> {
    this.#setup = setup;
    this.prepare();
    const outcomes = await Promise.allSettled(this.#first?.map((member) => this.#load(member)) ?? []);
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure) {
      await this.close();
      throw failure.reason;
    }
    return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  }

  /**
   * @returns the result, and the milliseconds until the job was in the hands of a worker.
   * @throws {ServiceError} what the job threw; DEADLINE_EXCEEDED after `maxWait`; PROCESSING_ERROR if its worker died.
   */
  run(job: Job, { transfer = [], signal }: RunOptions = {}): Promise<{ result: Result; waited: number }> {
    return new Promise((resolve, reject) => {
      if (this.#closing)
        throw new ServiceError('MODEL_NOT_LOADED', { detail: 'The service is shutting down.' });
      signal?.throwIfAborted();
      // One that was given ahead cannot be taken back; its answer will be for nobody.
      const leave = (error: unknown) => {
        this.#queue.delete(queued);
        queued.abandoned = true;
        queued.unwatch();
        reject(error);
        this.#dispatch();
      };
      const timer = setTimeout(() => leave(new ServiceError('DEADLINE_EXCEEDED')), this.#options.maxWait);
      const onAbort = () => leave(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      const unwatch = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const enqueued = performance.now();
      const queued: QueuedJob<Job, Result> = {
        job,
        transfer,
        enqueued,
        started: 0,
        abandoned: false,
        settle: { resolve, reject },
        unwatch,
      };
      this.#queue.add(queued);
      // Later, so that a job that comes with others does not pass for a lone one.
      queueMicrotask(() => this.#dispatch());
    });
  }

  /** Finishes all accepted jobs, then lets the workers end. Nothing is terminated. */
  async close(): Promise<void> {
    this.#closing = true;
    if (!this.#isIdle()) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    for (const { worker } of this.#members)
      worker.postMessage({ type: 'close' } satisfies ToWorker<unknown, Job>);
    await Promise.all(this.#exits);
  }

  #isIdle(): boolean {
    return this.#queue.size === 0 && this.running === 0;
  }

  #dispatch(): void {
    for (;;) {
      const [next] = this.#queue;
      if (next === undefined) break;
      const free = this.#freest();
      if (free) {
        next.unwatch();
        this.#handOver(next, free, free.jobs);
        continue;
      }
      const busy = this.#nextToHaveAhead();
      if (busy === undefined) break;
      this.#handOver(next, busy, busy.ahead);
    }
    if (this.#isIdle()) this.#onIdle?.();
  }

  #handOver(
    next: QueuedJob<Job, Result>,
    member: Member<Ready, Job, Result>,
    hands: Map<number, QueuedJob<Job, Result>>,
  ): void {
    const alone = this.running === 0 && this.#queue.size === 1;
    this.#queue.delete(next);
    next.started = performance.now();
    const id = this.#nextJobId++;
    hands.set(id, next);
    const message: ToWorker<unknown, Job> = { type: 'run', id, job: next.job, alone };
    try {
      // What is given ahead is copied and not moved, in case that the worker dies of the job before it.
      member.worker.postMessage(message, hands === member.ahead ? [] : next.transfer);
    } catch (error) {
      // Nothing was sent: the job cannot be cloned or its buffer has been moved before.
      hands.delete(id);
      next.unwatch();
      next.settle.reject(error);
    }
  }

  /** The worker with the fewest jobs that can take another, of several the one with the lowest number. */
  #freest(): Member<Ready, Job, Result> | undefined {
    const free = [...this.#members].filter(
      ({ hasLoaded, jobs }) => hasLoaded && jobs.size < this.#jobsPerWorker,
    );
    return free.sort((a, b) => a.jobs.size - b.jobs.size || a.number - b.number)[0];
  }

  #nextToHaveAhead(): Member<Ready, Job, Result> | undefined {
    if (!this.#options.handsAhead || this.#queue.size <= this.#options.size) return undefined;
    return [...this.#members].find(({ hasLoaded, ahead }) => hasLoaded && ahead.size === 0);
  }

  /** Starts one thread. */
  #spawn(number: number): Member<Ready, Job, Result> {
    const { entry, youngGenerationMiB } = this.#options;
    const worker = new Worker(
      entry,
      youngGenerationMiB ? { resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMiB } } : {},
    );
    const loading = new Promise<Ready>((resolve, reject) => {
      let loadFailure: Error | undefined;
      worker.on('message', (message: FromWorker<Ready, Result>) => {
        if (message.type === 'ready') {
          member.hasLoaded = true;
          resolve(message.ready);
          this.#dispatch();
        } else if (message.type === 'failed') {
          loadFailure = new Error(message.message);
        } else {
          this.#settle(member, message);
        }
      });
      // An uncaught exception; 'exit' follows.
      worker.on('error', (error) => {
        loadFailure = error;
        this.#options.log.error({ err: error }, 'a worker thread threw outside a job');
      });
      const exited = new Promise<void>((done) => {
        worker.on('exit', () => {
          this.#lose(member);
          reject(loadFailure ?? new Error('A worker thread ended while it was loading.'));
          done();
        });
      });
      this.#exits.add(exited);
      exited.then(() => this.#exits.delete(exited));
    });
    // Nobody may be waiting for it yet.
    loading.catch(() => {});
    const member: Member<Ready, Job, Result> = {
      number,
      worker,
      loading,
      hasLoaded: false,
      jobs: new Map(),
      ahead: new Map(),
      doneAt: 0,
    };
    this.#members.add(member);
    return member;
  }

  /** Settles when it has loaded or failed to. */
  #load({ number, worker, loading }: Member<Ready, Job, Result>): Promise<Ready> {
    worker.postMessage({ type: 'load', setup: this.#setup?.(number) } satisfies ToWorker<unknown, Job>);
    return loading;
  }

  #settle(
    member: Member<Ready, Job, Result>,
    message: Extract<FromWorker<Ready, Result>, { type: 'done' | 'rejected' }>,
  ): void {
    const current = member.jobs.get(message.id);
    if (current === undefined) return;
    const now = performance.now();
    const serviceTime = now - Math.max(current.started, this.#jobsPerWorker === 1 ? member.doneAt : 0);
    member.doneAt = now;
    this.#smoothedServiceTime +=
      (serviceTime - this.#smoothedServiceTime) * (this.#smoothedServiceTime ? SMOOTHING : 1);
    this.#losses = 0;
    member.jobs.delete(message.id);
    this.#beginAhead(member);
    if (message.type === 'done') {
      current.settle.resolve({ result: message.result, waited: current.started - current.enqueued });
    } else {
      current.settle.reject(revive(message.error));
    }
    this.#dispatch();
  }

  /** What was given ahead is now at work: its deadline no longer counts. */
  #beginAhead({ jobs, ahead }: Member<Ready, Job, Result>): void {
    for (const [id, job] of ahead) {
      job.unwatch();
      jobs.set(id, job);
    }
    ahead.clear();
  }

  /** Puts what a lost worker was given ahead back to the head of the queue. */
  #takeBack({ ahead }: Member<Ready, Job, Result>): void {
    const queued = [...this.#queue];
    this.#queue.clear();
    for (const job of [...ahead.values(), ...queued]) if (!job.abandoned) this.#queue.add(job);
  }

  #lose(member: Member<Ready, Job, Result>): void {
    this.#members.delete(member);
    this.#takeBack(member);
    for (const { settle } of member.jobs.values()) {
      settle.reject(
        new ServiceError('PROCESSING_ERROR', { cause: new Error('The worker thread of this job died.') }),
      );
    }
    if (member.hasLoaded && !this.#closing) {
      this.#lost++;
      this.#replaceLater(member.number);
    }
    this.#dispatch();
  }

  #replaceLater(number: number): void {
    const delay = Math.min(FIRST_REPLACEMENT_DELAY * 2 ** this.#losses, LONGEST_REPLACEMENT_DELAY);
    this.#losses++;
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

function revive({ code, message, detail, stack }: JobError): ServiceError {
  if (code !== undefined)
    return new ServiceError(code, { message, ...(detail === undefined ? {} : { detail }) });
  return new ServiceError('PROCESSING_ERROR', {
    cause: Object.assign(new Error(message), stack && { stack }),
  });
}
