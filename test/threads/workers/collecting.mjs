import { workerData } from 'node:worker_threads';
import { collectGarbage } from '../../../dist/threads/garbage.js';

// Collects garbage for the first time at the same moment as its neighbours.
const { waiting, threads } = workerData;
Atomics.add(waiting, 0, 1);
while (Atomics.load(waiting, 0) < threads);
collectGarbage('minor');
