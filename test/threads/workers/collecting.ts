import { workerData } from 'node:worker_threads';

/**
 * Collects garbage for the first time at the same moment as another thread, as often as there are numbers in the array: each
 * copy of the module looks for V8's function anew.
 */
const { arrived }: { arrived: Int32Array } = workerData;
for (let round = 0; round < arrived.length; round++) {
  const copy = new URL(`../../../src/threads/garbage.js?${round}`, import.meta.url).href;
  const { collectGarbage }: typeof import('../../../src/threads/garbage.ts') = await import(copy);
  if (Atomics.add(arrived, round, 1) === 0) Atomics.wait(arrived, round, 1);
  else Atomics.notify(arrived, round);
  collectGarbage('minor');
}
