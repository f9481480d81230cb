import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

/**
 * Embeds photographs and their degraded versions on several threads.
 *
 * @param files names in the folder. @param degraded those of them that are also degraded.
 * @param onProgress is told how many of the photographs are done.
 * @returns for each file {file, versions, timings}; each version is {kind, step, found, embedding, quality, detectionScore}.
 */
export async function embedAll({ files, degraded, folder, pack, models, threads }, onProgress) {
  const photos = [];
  let next = 0;
  let done = 0;
  const giveWork = (worker) => {
    const index = next++;
    const file = files[index];
    if (file === undefined) worker.postMessage('close');
    else worker.postMessage({ index, file, path: join(folder, file), isDegraded: degraded.has(file) });
  };
  const work = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./embed-worker.ts', import.meta.url), {
        workerData: { pack, models },
      });
      worker.on('message', ({ index, photo }) => {
        photos[index] = photo;
        onProgress(++done);
        giveWork(worker);
      });
      worker.on('error', reject);
      worker.on('exit', resolve);
      giveWork(worker);
    });
  await Promise.all(Array.from({ length: threads }, work));
  return photos;
}
