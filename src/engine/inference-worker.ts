import { collectGarbage, discardBytes, raiseHeapGrowth } from '../threads/garbage.ts';
import { serveJobs } from '../threads/job-port.ts';
import { Mutex } from '../threads/mutex.ts';
import { turboJpeg } from '../vision/decode/turbojpeg.ts';
import { type GraphRewrites, loadNetworks, type NetworkOptions } from '../vision/networks.ts';
import { type EmbedOptions, type EmbedResult, embedFaces } from '../vision/pipeline.ts';

/*
 * The worker thread. It has its own sessions and processes images in one of two ways.
 *
 * Without batching (CPU), the networks take one image at a time, and the worker pool decides two things per image:
 * - Prefetch: while the queue is long, the pool sends a worker its next image early. The worker decodes it while the networks
 *   still run on the image before, and does not wait for the main thread between the two. A mutex, locked in the order of
 *   arrival, keeps the networks to one image; `networksFree` is the promise that settles when an image holds it.
 * - Idle cores: `coresIdle` says that no other image was queued or processed when this one was sent. It then runs on a second
 *   session of each network with LONE_REQUEST_THREADS threads, and a large JPEG is decoded on two threads, which would slow the service down under load. The pool
 *   sends such images to its first worker, so only that one loads the second sessions. The result is the same to the bit.
 *
 * With batching (GPU), several images are processed at a time and share runs of the recogniser; no mutex is needed, and
 * `coresIdle` means that a face need not wait for others.
 */

export interface InferenceJob {
  image: Uint8Array<ArrayBuffer>;
  options: EmbedOptions;
}

export interface InferenceReady {
  embeddingSize: number;
  rewrites: GraphRewrites;
  /** Maximum faces of one run of the recogniser. */
  facesPerRun: number;
  /** Whether plain JPEGs are decoded by libjpeg-turbo; else sharp decodes them. */
  libjpegTurbo: boolean;
}

serveJobs<NetworkOptions, InferenceReady, InferenceJob, EmbedResult>(async (setup) => {
  const networks = await loadNetworks(setup);
  const libjpegTurbo = turboJpeg() !== undefined;
  raiseHeapGrowth();
  // Files and rewritten graphs are twice the weights; V8 would keep them for long, as this thread allocates little else.
  collectGarbage();
  // Locked before decoding, so that images use the networks in the order of arrival.
  const mutex = setup.batching ? undefined : new Mutex();
  const usesIdleCores = setup.batching !== undefined || setup.loneRequestThreads > 1;
  return {
    ready: {
      embeddingSize: networks.embeddingSize,
      rewrites: networks.rewrites,
      facesPerRun: networks.recogniser.facesPerRun,
      libjpegTurbo,
    },
    async run({ image, options }, noOtherImage) {
      const coresIdle = noOtherImage && usesIdleCores;
      const networksFree = mutex?.lock();
      try {
        const result = await embedFaces(image, options, networks, { coresIdle, networksFree });
        const { image: size, rotation, aligned } = result;
        discardBytes(size.width * size.height * 3 * (rotation ? 2 : 1));
        const faces = aligned ? [aligned] : result.faces;
        return { result, transfer: faces.map((face) => face.embedding.buffer) };
      } finally {
        // A broken image may fail before it holds the lock. It waits, so that answers are sent in order.
        await networksFree;
        mutex?.unlock();
      }
    },
  };
});
