import { workerData } from 'node:worker_threads';
import { collectGarbage } from '../../../src/threads/garbage.ts';

/** Starts to collect garbage at the same moment as the other threads. */
const { arrived, threads }: { arrived: Int32Array; threads: number } = workerData;
Atomics.add(arrived, 0, 1);
while (Atomics.load(arrived, 0) < threads);
collectGarbage('minor');
