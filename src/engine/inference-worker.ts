import { collectGarbage, discardBytes, letHeapsGrow } from '../threads/garbage.ts';
import { serveJobs } from '../threads/job-port.ts';
import { Mutex } from '../threads/mutex.ts';
import { type GraphRewrites, loadNetworks, type NetworkOptions } from '../vision/networks.ts';
import { type EmbedOptions, type EmbedResult, embedFaces } from '../vision/pipeline.ts';

/** The worker thread: its own sessions; one image at a time, or several where faces are batched. */

export interface InferenceJob {
  image: Uint8Array<ArrayBuffer>;
  options: EmbedOptions;
}

export interface InferenceReady {
  embeddingSize: number;
  rewrites: GraphRewrites;
  /** Most faces that the recogniser takes in one run. */
  facesPerRun: number;
}

serveJobs<NetworkOptions, InferenceReady, InferenceJob, EmbedResult>(async (setup) => {
  const networks = await loadNetworks(setup);
  letHeapsGrow();
  // Files and rewritten graphs: twice the weights, which V8 would keep for long, as little else happens here.
  collectGarbage();
  // Taken before anything is decoded, so that pictures are at work in the order in which they came.
  const mutex = setup.batching ? undefined : new Mutex();
  return {
    ready: {
      embeddingSize: networks.embeddingSize,
      rewrites: networks.rewrites,
      facesPerRun: networks.recogniser.facesPerRun,
    },
    async run({ image, options }, alone) {
      const turn = mutex?.lock();
      try {
        const result = await embedFaces(image, options, networks, { alone, turn });
        discardBytes(result.image.width * result.image.height * 3);
        return { result, transfer: result.faces.map((face) => face.embedding.buffer) };
      } finally {
        // Also for a picture that was broken, so that answers come in order.
        await turn;
        mutex?.unlock();
      }
    },
  };
});
