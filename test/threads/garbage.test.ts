import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { testWorker } from './scripted-pool.ts';

it('two threads can collect garbage for the first time at the same moment', async () => {
  const rounds = 100;
  const arrived = new Int32Array(new SharedArrayBuffer(4 * rounds));
  const workers = [1, 2].map(() => new Worker(testWorker('collecting'), { workerData: { arrived } }));
  const exits = await Promise.all(workers.map((worker) => once(worker, 'exit')));
  expect(exits.flat()).toEqual([0, 0]);
  expect([...arrived]).toEqual(Array(rounds).fill(2));
});
