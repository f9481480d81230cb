import { type Device, factsOf } from './devices.ts';

/**
 * Images that one worker processes at a time on a GPU: one whose detector runs, some that are decoded meanwhile (in Node's
 * thread pool, which main.cts makes as large), and some whose faces wait for a batch. Each may take 3 × MAX_IMAGE_PIXELS
 * bytes. An estimate: it has not been measured on a GPU.
 */
export const IMAGES_PER_GPU_WORKER = 8;

interface DeviceSettings {
  DEVICE: Device;
}

/** Images that one worker processes at a time. On a CPU, one is best: a batch of faces takes as long as its faces do one by one. */
export function imagesPerWorker({ DEVICE }: DeviceSettings): number {
  return factsOf(DEVICE).gpu ? IMAGES_PER_GPU_WORKER : 1;
}

/** Images that all workers together process at a time. */
export function imagesAtOnce(config: DeviceSettings & { WORKERS: number }): number {
  return config.WORKERS * imagesPerWorker(config);
}
