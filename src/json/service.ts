import { builtFile } from '../config/package.ts';
import type { Logger } from '../observability/log.ts';
import { Permits } from '../threads/permits.ts';
import { WorkerPool } from '../threads/worker-pool.ts';
import { bytesOf, type JsonJob, type JsonResult, type JsonResults, movablesOf, runJsonJob } from './jobs.ts';

/** A job of at most so many bytes is handled at once: that takes about a millisecond, less than the way to a thread. */
const INLINE_BYTES = 64 * 1024;

export interface JsonDeskOptions {
  /** Bodies that may wait for the thread. */
  maxQueue: number;
  /** Longest wait for the thread, in milliseconds. */
  maxWait: number;
  log: Logger;
}

/**
 * Handles JSON bodies: small ones here and now, large ones on a thread of their own, which is another than those of
 * inference, so that comparing works while every worker is busy and when there are no weights.
 */
export class JsonDesk {
  readonly #pool: WorkerPool<undefined, JsonJob, JsonResult>;
  readonly #permits: Permits;
  readonly #log: Logger;
  #started = false;

  constructor({ maxQueue, maxWait, log }: JsonDeskOptions) {
    this.#permits = new Permits(maxQueue + 1);
    this.#pool = new WorkerPool({
      entry: builtFile('json/worker.js'),
      size: 1,
      maxWait,
      log,
    });
    this.#log = log;
  }

  /**
   * @param job its bytes are moved to the thread when they are many: the caller's arrays are empty afterwards.
   * @throws {ServiceError} what the body gives reason for, OVERLOADED or DEADLINE_EXCEEDED.
   */
  async run<K extends JsonJob['kind']>(
    job: JsonJob & { kind: K },
    signal?: AbortSignal,
  ): Promise<{ result: JsonResults[K]; waited: number }> {
    if (bytesOf(job) <= INLINE_BYTES)
      return { result: (await runJsonJob(job)).result as JsonResults[K], waited: 0 };
    const release = this.#permits.tryTake(1);
    if (release === undefined) throw this.#pool.overloaded();
    this.#startOnce();
    try {
      const { result, waited } = await this.#pool.run(job, { transfer: movablesOf(job), signal });
      return { result: result as JsonResults[K], waited };
    } finally {
      release();
    }
  }

  /** Finishes what it has accepted and ends the thread. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  /** Most installations never see a large JSON body: the thread and its memory come with the first one. */
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
