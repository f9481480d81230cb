import { imagesPerWorker } from '../config/concurrency.ts';
import { factsOf } from '../config/devices.ts';
import type { Config } from '../config/settings.ts';
import type { FaceBatching } from '../vision/recognise/recogniser.ts';

/** How many images a worker processes at a time, and whether their faces are recognised together. */
export interface WorkerConcurrency {
  imagesPerWorker: number;
  /** Undefined where each face is a run of its own. */
  batching?: FaceBatching;
}

/**
 * Maximum faces of one run on a GPU: one of each image, and room for those of a group photograph. More would take more of
 * the GPU's memory, and one more search for the best convolutions at every start. An estimate: not measured on a GPU.
 */
const MAX_FACES_PER_RUN = 16;

export function concurrencyOf(config: Pick<Config, 'DEVICE' | 'BATCH_WINDOW_MS'>): WorkerConcurrency {
  const images = { imagesPerWorker: imagesPerWorker(config) };
  if (!factsOf(config.DEVICE).gpu) return images;
  return { ...images, batching: { windowMs: config.BATCH_WINDOW_MS, maxFaces: MAX_FACES_PER_RUN } };
}
