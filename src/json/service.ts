import { builtFile } from '../config/package.ts';
import type { Logger } from '../observability/log.ts';
import { FairPermits } from '../threads/fair-permits.ts';
import { WorkerPool } from '../threads/worker-pool.ts';
import { type JsonJob, type JsonResult, type JsonResults, runIfLight, transferListOf } from './jobs.ts';

export interface JsonServiceOptions {
  /** Maximum bodies that wait for the thread. */
  maxQueue: number;
  /** Maximum wait for the thread, in milliseconds. */
  maxWait: number;
  /** Maximum time for one body, in milliseconds; 0 for none. A thread that takes longer is ended and replaced. */
  maxRun: number;
  log: Logger;
  /** The built file of the thread. */
  entry?: URL;
}

/**
 * Runs jobs on JSON bodies: light ones at once, heavy ones on the JSON thread. It is a thread apart from those of inference, so
 * that comparing works while every worker is busy, and without weights. One is enough: no body keeps it for longer than about a
 * second, whatever is in it.
 */
export class JsonService {
  readonly #pool: WorkerPool<undefined, JsonJob, JsonResult>;
  readonly #permits: FairPermits;
  #hasStarted = false;

  constructor({ maxQueue, entry = builtFile('json/worker.js'), ...options }: JsonServiceOptions) {
    this.#permits = new FairPermits({ capacity: maxQueue + 1, reserve: Math.ceil(maxQueue / 2) });
    this.#pool = new WorkerPool({ ...options, entry, size: 1, canTerminate: true });
  }

  /**
   * @param job the buffers of a heavy job are transferred to the thread: the caller's arrays are empty afterwards.
   * @param tenant whose job it is: each has its share of the queue.
   * @returns the result, and the milliseconds that the job waited for the thread.
   * @throws {ServiceError} what is wrong with the body, OVERLOADED or DEADLINE_EXCEEDED.
   */
  async run<K extends JsonJob['kind']>(
    job: JsonJob & { kind: K },
    signal?: AbortSignal,
    tenant?: string,
  ): Promise<{ result: JsonResults[K]; waited: number }> {
    const light = await runIfLight(job);
    if (light) return { result: light.result as JsonResults[K], waited: 0 };
    const release = this.#permits.tryTake(1, tenant);
    if (release === undefined) throw this.#pool.overloaded();
    try {
      this.#startOnce();
      const { result, waited } = await this.#pool.run(job, { transfer: transferListOf(job), signal });
      return { result: result as JsonResults[K], waited };
    } finally {
      release();
    }
  }

  /** Finishes accepted jobs and ends the thread. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  /** The thread starts with the first heavy job: most installations never get one, and are spared its memory. */
  #startOnce(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    this.#pool.startPersistently(() => undefined);
  }
}
