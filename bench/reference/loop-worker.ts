import { parentPort, workerData } from 'node:worker_threads';
import { openRuntime, runAll } from './runtime.ts';

const runs = await openRuntime(workerData.graphs, workerData.inputs);
await runAll(runs);
parentPort.on('message', async (seconds) => {
  const started = performance.now();
  let count = 0;
  do {
    await runAll(runs);
    count++;
  } while (performance.now() - started < seconds * 1000);
  parentPort.postMessage({ count, ms: performance.now() - started });
});
parentPort.postMessage('ready');
