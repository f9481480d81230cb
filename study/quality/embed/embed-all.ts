import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Photo } from '../photos.ts';
import type { EmbedJob } from './embed-worker.ts';
import type { PackLocation } from './pipeline.ts';

interface EmbedOptions extends PackLocation {
  folder: string;
  /** Names of files in the folder. */
  files: readonly string[];
  /** The files that are also degraded. */
  degraded: ReadonlySet<string>;
  threads: number;
}

/**
 * Embeds photographs and their degraded versions on several threads.
 *
 * @param onProgress receives the number of finished photographs.
 * @returns the photographs in the order of `files`.
 */
export async function embedAll(
  { files, degraded, folder, pack, models, threads }: EmbedOptions,
  onProgress: (done: number) => void,
): Promise<Photo[]> {
  const photos: Photo[] = [];
  const queue = files.entries();
  let done = 0;
  const runWorker = () =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(new URL('./embed-worker.js', import.meta.url), {
        workerData: { pack, models },
      });
      let index = -1;
      const postNext = () => {
        const next = queue.next();
        if (next.done) return worker.postMessage('close');
        const [position, file] = next.value;
        index = position;
        const job: EmbedJob = { file, path: join(folder, file), degrade: degraded.has(file) };
        worker.postMessage(job);
      };
      worker.on('message', (photo: Photo) => {
        photos[index] = photo;
        onProgress(++done);
        postNext();
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve());
      postNext();
    });
  await Promise.all(Array.from({ length: threads }, runWorker));
  return photos;
}
