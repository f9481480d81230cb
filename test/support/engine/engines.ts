import { loadConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/settings.ts';
import type { WorkerConcurrency } from '../../../src/engine/concurrency.ts';
import type {
  Admission,
  EmbedAnswer,
  EngineLoad,
  EngineStatus,
  FaceEngine,
  LoadedModel,
} from '../../../src/engine/engine.ts';
import { InferenceEngine } from '../../../src/engine/inference-engine.ts';
import { createLogger } from '../../../src/observability/log.ts';

export const silentLog = await createLogger({ level: 'silent', name: 'test' });

export const testConfig = (environment: Record<string, string> = {}): Config =>
  loadConfig({
    MODEL_NAME: 'synthetic',
    WORKERS: '1',
    HOST: '127.0.0.1',
    PORT: '0',
    PREPARED_DIR: 'none',
    ...environment,
  });

/** The real engine, loaded. */
export async function startEngine(config: Config, concurrency?: WorkerConcurrency): Promise<InferenceEngine> {
  const engine = new InferenceEngine(config, silentLog, concurrency);
  engine.start();
  while (engine.status.phase === 'starting') await new Promise((resolve) => setTimeout(resolve, 10));
  if (engine.status.phase !== 'ready') throw new Error(engine.status.reason);
  return engine;
}

const TINY_FILE = {
  path: '/tiny/network.onnx',
  bytes: 0,
  sha256: '',
  pinned: false,
  preprocessing: { mean: 0, std: 1 },
};

const TINY_MODEL: LoadedModel = {
  pack: {
    name: 'tiny',
    origin: 'folder',
    trainingData: 'None.',
    commercialUse: 'unknown',
    licence: '',
    embeddingSpace: 'tiny:000000000000',
    detector: { ...TINY_FILE, family: 'scrfd' },
    recogniser: { ...TINY_FILE, inputSize: 112, channelOrder: 'rgb' },
  },
  embeddingSize: 2,
  rewrites: { detector: [], recogniser: [] },
  thresholds: [],
};

/** An admission without limits that embeds nothing, except for the given parts. */
export const tinyAdmission = (parts: Partial<Admission>): Admission => ({
  model: TINY_MODEL,
  embed: () => Promise.reject(new Error('This engine embeds nothing.')),
  release() {},
  ...parts,
});

/** An answer with one face. Its width is the first byte of the image, so that a test can recognise it. */
export const tinyAnswer = (image: Uint8Array): EmbedAnswer => ({
  image: { width: image[0] as number, height: 1 },
  faces: [
    {
      box: { left: 0, top: 0, right: 1, bottom: 1 },
      score: 1,
      landmarks: new Float32Array(10),
      embedding: new Float32Array([0.6, 0.8]),
    },
  ],
  refused: [],
  omitted: 0,
  timings: { decode: 1, detect: 2, align: 3, quality: 1, recognise: 4 },
  waited: 5,
});

/** An engine in a state that the test chooses; it embeds nothing. */
export class TinyEngine implements FaceEngine {
  status: EngineStatus;
  load: EngineLoad = {
    admitted: 0,
    capacity: 5,
    processing: 0,
    queued: 0,
    workers: 1,
    alive: 1,
    busy: 0,
    restarted: 0,
    hung: 0,
  };
  model: LoadedModel | undefined;
  readonly #admit: (images: number) => Admission;

  /** @param admit is also asked for no place, to check whether there is room. */
  constructor(status: EngineStatus, admit: (images: number) => Admission) {
    this.status = status;
    this.#admit = admit;
  }

  letIn(): () => void {
    this.#admit(0);
    return () => {};
  }

  admit(images: number): Admission {
    return this.#admit(images);
  }
}
