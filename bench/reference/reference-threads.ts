import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { InferenceCount, LoopWorkerData } from './inference-loop.ts';

const THREADS = 2;

/**
 * The throughput that two cores can reach with ONNX Runtime and nothing else: two threads run the untouched graphs on the
 * same inputs in a loop, each with its own session of one thread.
 */
export class ReferenceThreads {
  readonly #workers: readonly Worker[];

  private constructor(workers: readonly Worker[]) {
    this.#workers = workers;
  }

  static async start(workerData: LoopWorkerData): Promise<ReferenceThreads> {
    const entry = new URL('./inference-loop.js', import.meta.url);
    const workers = Array.from({ length: THREADS }, () => new Worker(entry, { workerData }));
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    return new ReferenceThreads(workers);
  }

  /** Photographs per second. */
  async measureThroughput(seconds: number): Promise<number> {
    const answers = this.#workers.map((worker) => once(worker, 'message') as Promise<[InferenceCount]>);
    for (const worker of this.#workers) worker.postMessage(seconds);
    const rates = (await Promise.all(answers)).map(([{ count, ms }]) => (count * 1000) / ms);
    return rates.reduce((sum, rate) => sum + rate, 0);
  }

  /** Call only while no measurement runs: ending a thread inside ONNX Runtime aborts the process. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
