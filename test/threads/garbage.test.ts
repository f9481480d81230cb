import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';

it('garbage can be collected by several threads that begin at the same moment', async () => {
  const threads = 2;
  for (let round = 0; round < 40; round++) {
    const waiting = new Int32Array(new SharedArrayBuffer(4));
    const workers = Array.from(
      { length: threads },
      () =>
        new Worker(new URL('./workers/collecting.mjs', import.meta.url), {
          workerData: { waiting, threads },
        }),
    );
    const exits = await Promise.all(workers.map((worker) => once(worker, 'exit')));
    expect(exits.flat()).toEqual(Array(threads).fill(0));
  }
});
