import type { Config } from '../config.ts';
import type { FaceBatching } from '../vision/recogniser.ts';

/** What one worker has at work at one time, and how. */
export interface WorkerConcurrency {
  /** Images that one worker has in its hands at one time. */
  imagesPerWorker: number;
  /** Undefined where each face is a run of its own. */
  batching?: FaceBatching;
}

/**
 * Images that a worker of a GPU has at work: one whose detector runs, some that are decoded meanwhile (libvips decodes four
 * at a time in Node's threads), and some whose faces wait for others. Each may take 3 × MAX_IMAGE_PIXELS bytes. An estimate:
 * no GPU was at hand to measure it on.
 */
export const IMAGES_PER_GPU_WORKER = 8;

/**
 * Most faces of one run on a GPU: one of each image, and room for the many of a group photograph. More would take more of
 * the GPU's memory, and one more search for the best convolutions at every start. An estimate as well.
 */
const MOST_FACES_PER_RUN = 16;

/** On a CPU, an image at a time is best: a batch of faces takes as long as its faces one by one. */
export function concurrencyOf({
  DEVICE,
  BATCH_WINDOW_MS,
}: Pick<Config, 'DEVICE' | 'BATCH_WINDOW_MS'>): WorkerConcurrency {
  if (DEVICE !== 'cuda') return { imagesPerWorker: 1 };
  return {
    imagesPerWorker: IMAGES_PER_GPU_WORKER,
    batching: { windowMs: BATCH_WINDOW_MS, most: MOST_FACES_PER_RUN },
  };
}

/** Images that all workers together have at work at one time. */
export function imagesAtOnce(config: Pick<Config, 'DEVICE' | 'BATCH_WINDOW_MS' | 'WORKERS'>): number {
  return config.WORKERS * concurrencyOf(config).imagesPerWorker;
}
