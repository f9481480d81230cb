// A worker thread of ReferenceThreads. Sends "ready", and for each number of seconds it receives an InferenceCount.
import { parentPort, workerData } from 'node:worker_threads';
import type { ReferenceInput } from './inputs.ts';
import { type Graphs, openRuntime, runAll } from './runtime.ts';

export interface LoopWorkerData {
  graphs: Graphs;
  inputs: readonly ReferenceInput[];
}

export interface InferenceCount {
  count: number;
  ms: number;
}

const { graphs, inputs } = workerData as LoopWorkerData;
const runs = await openRuntime(graphs, inputs);
await runAll(runs);
parentPort?.on('message', async (seconds: number) => {
  const started = performance.now();
  let count = 0;
  do {
    await runAll(runs);
    count++;
  } while (performance.now() - started < seconds * 1000);
  const result: InferenceCount = { count, ms: performance.now() - started };
  parentPort?.postMessage(result);
});
parentPort?.postMessage('ready');
