import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const THREADS = 2;

/**
 * What two cores could answer if there were nothing but ONNX Runtime: two threads that run the untouched graphs on the
 * same inputs in a loop, one session of one thread each.
 */
export async function openTwoThreads(graphs, inputs) {
  const workers = Array.from(
    { length: THREADS },
    () => new Worker(new URL('./loop-worker.ts', import.meta.url), { workerData: { graphs, inputs } }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  return {
    /** @returns photographs a second. */
    async throughput(seconds) {
      const answers = workers.map((worker) => once(worker, 'message'));
      for (const worker of workers) worker.postMessage(seconds);
      const rates = (await Promise.all(answers)).map(([{ count, ms }]) => (count * 1000) / ms);
      return rates.reduce((sum, rate) => sum + rate, 0);
    },
    /** Only while they are idle: ending a thread inside ONNX Runtime aborts the process. */
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
