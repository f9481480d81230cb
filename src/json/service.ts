import { builtFile } from '../config/package.ts';
import type { Logger } from '../observability/log.ts';
import { Permits } from '../threads/permits.ts';
import { WorkerPool } from '../threads/worker-pool.ts';
import {
  byteLengthOf,
  type JsonJob,
  type JsonResult,
  type JsonResults,
  runJsonJob,
  transferListOf,
} from './jobs.ts';

/** A job of at most this many bytes runs on the calling thread: it takes about a millisecond, less than handing it over. */
const MAX_INLINE_BYTES = 64 * 1024;

export interface JsonServiceOptions {
  /** Maximum bodies that wait for the thread. */
  maxQueue: number;
  /** Maximum wait for the thread, in milliseconds. */
  maxWait: number;
  log: Logger;
}

/**
 * Runs jobs on JSON bodies: small ones at once, large ones on the JSON thread. That thread is not an inference worker, so that
 * comparing works while every worker is busy, and without weights.
 */
export class JsonService {
  readonly #pool: WorkerPool<undefined, JsonJob, JsonResult>;
  readonly #permits: Permits;
  readonly #log: Logger;
  #started = false;

  constructor({ maxQueue, maxWait, log }: JsonServiceOptions) {
    this.#permits = new Permits(maxQueue + 1);
    this.#pool = new WorkerPool({ entry: builtFile('json/worker.js'), size: 1, maxWait, log });
    this.#log = log;
  }

  /**
   * @param job the buffers of a large job are transferred to the thread: the caller's arrays are empty afterwards.
   * @returns the result, and the milliseconds that the job waited for the thread.
   * @throws {ServiceError} what is wrong with the body, OVERLOADED or DEADLINE_EXCEEDED.
   */
  async run<K extends JsonJob['kind']>(
    job: JsonJob & { kind: K },
    signal?: AbortSignal,
  ): Promise<{ result: JsonResults[K]; waited: number }> {
    if (byteLengthOf(job) <= MAX_INLINE_BYTES) {
      return { result: (await runJsonJob(job)).result as JsonResults[K], waited: 0 };
    }
    const release = this.#permits.tryTake(1);
    if (release === undefined) throw this.#pool.overloaded();
    this.#startOnce();
    try {
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

  /** The thread starts with the first large body, since most installations never receive one. */
  #startOnce(): void {
    if (this.#started) return;
    this.#started = true;
    this.#pool
      .start(() => undefined)
      .catch((error) => {
        this.#log.error({ err: error }, 'the thread for large JSON bodies did not start');
      });
  }
}
