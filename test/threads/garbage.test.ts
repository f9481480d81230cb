import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { testWorker } from './test-worker.ts';

it('several threads can collect garbage at the same moment', async () => {
  const threads = 2;
  for (let round = 0; round < 30; round++) {
    const arrived = new Int32Array(new SharedArrayBuffer(4));
    const workers = Array.from(
      { length: threads },
      () => new Worker(testWorker('collecting'), { workerData: { arrived, threads } }),
    );
    const exits = await Promise.all(workers.map((worker) => once(worker, 'exit')));
    expect(exits.flat()).toEqual(Array(threads).fill(0));
  }
});
