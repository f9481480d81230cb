import { Worker } from 'node:worker_threads';
import type { PackLocation } from './open.ts';
import { CHUNK, mergeRows, type OrientationRow } from './orientation.ts';

/**
 * Measures photographs on several threads.
 *
 * @param files names of photographs in the folder.
 * @param onProgress receives the number of photographs so far.
 */
export async function measureAll(
  {
    folder,
    files,
    threads,
    ...location
  }: PackLocation & { folder: string; files: readonly string[]; threads: number },
  onProgress: (done: number) => void,
): Promise<OrientationRow[]> {
  const chunks = Array.from({ length: Math.ceil(files.length / CHUNK) }, (_, i) =>
    files.slice(i * CHUNK, (i + 1) * CHUNK),
  );
  const results: OrientationRow[][] = [];
  const queue = chunks.entries();
  let done = 0;
  const runWorker = () =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(new URL('./orientation-worker.js', import.meta.url), {
        workerData: { ...location, folder },
      });
      let current = -1;
      const postNext = () => {
        const next = queue.next();
        if (next.done) return worker.postMessage('close');
        current = next.value[0];
        worker.postMessage(next.value[1]);
      };
      worker.on('message', (rows: OrientationRow[]) => {
        results[current] = rows;
        done += chunks[current]?.length ?? 0;
        onProgress(done);
        postNext();
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve());
      postNext();
    });
  await Promise.all(Array.from({ length: Math.min(threads, chunks.length) }, runWorker));
  return mergeRows(results);
}
