import { errorMessage, ServiceError } from '../errors.ts';
import type { Logger } from '../observability/log.ts';
import type { Outcome } from './job-port.ts';
import { PoolWorker } from './pool-worker.ts';
import { watchWork } from './watchdog.ts';

export interface WorkersOptions {
  /** The built worker file; it calls `serveJobs`. */
  entry: URL;
  size: number;
  /** Maximum time for a job that runs, in milliseconds; 0 for none. A worker that takes longer is given up and replaced. */
  maxRun: number;
  /** Whether a thread that was given up is terminated. That would abort the process if it runs native code. */
  canTerminate?: boolean;
  /** Called once, when more threads hang than are tolerated: only a new process helps. */
  onBeyondRepair?: () => void;
  /** Size of V8's young generation in each worker, in MiB; V8's default is 48. */
  youngGenerationMiB?: number;
  log: Logger;
}

export interface WorkersEvents<Ready, Job, Result> {
  /** A worker can take jobs. */
  onReady(): void;
  onOutcome(worker: PoolWorker<Ready, Job, Result>, outcome: Outcome<Result>): void;
  /** A worker takes no more jobs and answers none of those that it has. */
  onLost(worker: PoolWorker<Ready, Job, Result>, error: ServiceError): void;
  /** No worker is alive, and another one could not be started. */
  onNoneLeft(error: ServiceError): void;
}

/** What a worker loads, by its number. */
export type WorkerSetup = (worker: number) => unknown;

/** Delay before a lost worker is replaced, in milliseconds; doubles with each loss in a row. */
const FIRST_REPLACEMENT_DELAY = 100;
const MAX_REPLACEMENT_DELAY = 30_000;
/** Threads that may hang at a time. Each keeps the memory of its models, and perhaps a core, beside the one that replaces it. */
const MAX_HUNG = 2;

/** The threads of a WorkerPool: starts them, and replaces those that die or hang. */
export class Workers<Ready, Job, Result> {
  readonly #options: WorkersOptions;
  readonly #events: WorkersEvents<Ready, Job, Result>;
  readonly #usable = new Set<PoolWorker<Ready, Job, Result>>();
  /** Threads that were given up and have not ended. */
  readonly #hung = new Set<PoolWorker<Ready, Job, Result>>();
  /** The workers it began with; undefined before that. */
  #first: PoolWorker<Ready, Job, Result>[] | undefined;
  #setup: WorkerSetup | undefined;
  #stopWatching = () => {};
  #closing = false;
  #lost = 0;
  #lossesInARow = 0;
  #isBeyondRepair = false;
  /** Whether the last worker that was started failed to load. */
  #cannotStart = false;

  constructor(options: WorkersOptions, events: WorkersEvents<Ready, Job, Result>) {
    this.#options = options;
    this.#events = events;
  }

  /** Those that have not been lost; they may still be loading. */
  get usable(): ReadonlySet<PoolWorker<Ready, Job, Result>> {
    return this.#usable;
  }

  /** How many have loaded and not been lost. */
  get alive(): number {
    return [...this.#usable].filter((worker) => worker.hasLoaded).length;
  }

  /** How many died or were given up after they had loaded. */
  get lost(): number {
    return this.#lost;
  }

  /** How many were given up and still hang. */
  get hung(): number {
    return this.#hung.size;
  }

  /** Why no job can be taken; undefined as long as one may be. */
  get refusal(): ServiceError | undefined {
    if (!this.#cannotStart || this.alive > 0) return undefined;
    return new ServiceError('OVERLOADED', {
      message: 'A thread could not be started; the log says why. It is tried again.',
      reason: 'no_thread',
      retryAfter: Math.ceil(this.#replacementDelay / 1000),
    });
  }

  /** Starts the threads, which read their modules, before it is known what they load. */
  prepare(): void {
    this.#first ??= Array.from({ length: this.#options.size }, (_, number) => this.#spawn(number));
  }

  /**
   * Lets all workers load side by side.
   *
   * @returns what each worker reported when it was ready.
   * @throws the first failure, when all have loaded or failed.
   */
  async start(setup: WorkerSetup): Promise<Ready[]> {
    const loading = this.#begin(setup).map((worker) => this.#load(worker));
    await Promise.allSettled(loading);
    return Promise.all(loading);
  }

  /** The same in the background. Those that fail to load are started again, as lost ones are. */
  startPersistently(setup: WorkerSetup): void {
    for (const worker of this.#begin(setup)) this.#loadOrReplace(worker);
  }

  /** A job has ended: what went wrong before is over. */
  recordSuccess(): void {
    this.#lossesInARow = 0;
  }

  /** Lets all threads end when they have finished their jobs. Those that hang are not waited for. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#stopWatching();
    const ending = [...this.#usable];
    for (const worker of ending) worker.close();
    await Promise.all(ending.map(({ exited }) => exited));
  }

  #begin(setup: WorkerSetup): PoolWorker<Ready, Job, Result>[] {
    this.#setup = setup;
    this.prepare();
    const jobs = () => [...this.#usable].flatMap(({ running }) => [...running.values()]);
    this.#stopWatching = watchWork(this.#options.maxRun, jobs, (job) => {
      const worker = [...this.#usable].find(({ running }) => [...running.values()].includes(job));
      if (worker) this.#giveUp(worker, `has not answered for ${this.#options.maxRun} ms`);
    });
    return this.#first ?? [];
  }

  #spawn(number: number): PoolWorker<Ready, Job, Result> {
    const worker = new PoolWorker<Ready, Job, Result>(number, this.#options, {
      onReady: () => {
        this.#cannotStart = false;
        this.#events.onReady();
      },
      onOutcome: (outcome) => this.#events.onOutcome(worker, outcome),
      onUnreadable: () => this.#giveUp(worker, 'sent a message that cannot be read'),
      onExit: () => this.#onExit(worker),
    });
    this.#usable.add(worker);
    return worker;
  }

  #load(worker: PoolWorker<Ready, Job, Result>): Promise<Ready> {
    return worker.load(this.#setup?.(worker.number));
  }

  #loadOrReplace(worker: PoolWorker<Ready, Job, Result>): Promise<void> {
    return this.#load(worker).then(
      () => {},
      (error) => {
        if (this.#closing) return;
        this.#cannotStart = true;
        this.#replaceLater(worker.number, `A worker thread could not be started. ${errorMessage(error)}`);
        const { refusal } = this;
        if (refusal) this.#events.onNoneLeft(refusal);
      },
    );
  }

  #onExit(worker: PoolWorker<Ready, Job, Result>): void {
    if (this.#hung.delete(worker)) {
      this.#options.log.info({ hung: this.hung }, 'a worker thread that was given up has ended');
      return;
    }
    this.#lose(worker, 'died');
  }

  /** The thread is left to itself: it ends when it next reads its messages. */
  #giveUp(worker: PoolWorker<Ready, Job, Result>, why: string): void {
    if (!this.#usable.has(worker)) return;
    this.#hung.add(worker);
    worker.close();
    if (this.#options.canTerminate) worker.terminate();
    this.#lose(worker, why);
  }

  #lose(worker: PoolWorker<Ready, Job, Result>, why: string): void {
    this.#usable.delete(worker);
    const cause = new Error(`The worker thread of this job ${why}.`);
    this.#events.onLost(worker, new ServiceError('PROCESSING_ERROR', { cause }));
    if (!worker.hasLoaded || this.#closing) return;
    this.#lost++;
    if (this.hung <= MAX_HUNG) {
      this.#replaceLater(worker.number, `A worker thread ${why}.`);
      return;
    }
    this.#options.log.error({ hung: this.hung }, `A worker thread ${why}. Too many hang to replace it.`);
    if (!this.#isBeyondRepair) this.#options.onBeyondRepair?.();
    this.#isBeyondRepair = true;
  }

  get #replacementDelay(): number {
    return Math.min(FIRST_REPLACEMENT_DELAY * 2 ** this.#lossesInARow, MAX_REPLACEMENT_DELAY);
  }

  #replaceLater(number: number, why: string): void {
    const delay = this.#replacementDelay;
    this.#lossesInARow++;
    const { alive, hung } = this;
    this.#options.log.error({ worker: number, replacedInMs: delay, alive, hung }, why);
    setTimeout(async () => {
      if (this.#closing) return;
      const worker = this.#spawn(number);
      await this.#loadOrReplace(worker);
      if (worker.hasLoaded) this.#options.log.info({ alive: this.alive }, 'a worker thread was replaced');
    }, delay).unref();
  }
}
