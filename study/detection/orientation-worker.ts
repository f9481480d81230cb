// A worker thread that measures chunks of photographs.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { openNetworks, type PackLocation } from './open.ts';
import { measureOrientation } from './orientation.ts';

const port = parentPort as MessagePort;
const { folder, ...location } = workerData as PackLocation & { folder: string };
const networks = await openNetworks(location);

port.on('message', async (files: string[] | 'close') => {
  // The thread ends by itself, because terminating it inside ONNX Runtime would abort the process.
  if (files === 'close') port.close();
  else port.postMessage(await measureOrientation(networks, folder, files));
});
