import { setTimeout as sleep } from 'node:timers/promises';
import { byteSums } from '../config/byte-sums.ts';
import { builtFile } from '../config/package.ts';
import type { Config } from '../config/settings.ts';
import { errorMessage, ServiceError } from '../errors.ts';
import type { Logger } from '../observability/log.ts';
import { obtainPack } from '../packs/download/obtain-pack.ts';
import { setUpLiveness } from '../packs/liveness/setup.ts';
import { PackError } from '../packs/pack-errors.ts';
import { packFolder, SYNTHETIC_PACK } from '../packs/pack-folders.ts';
import { protectedSpace } from '../packs/protected-space.ts';
import { readThresholds } from '../packs/thresholds.ts';
import { type EmbeddingKey, readEmbeddingKey } from '../protection/embedding-key.ts';
import { FairPermits } from '../threads/fair-permits.ts';
import { collectGarbage } from '../threads/garbage.ts';
import { WorkerPool } from '../threads/worker-pool.ts';
import { keepPixelsInMemory } from '../vision/decode/pixels-in-memory.ts';
import type { NetworkOptions } from '../vision/networks.ts';
import type { EmbedResult } from '../vision/pipeline.ts';
import { PreparedGraphs, preparedFolder } from '../vision/prepared/prepared-pack.ts';
import { Arrivals } from './arrivals.ts';
import { concurrencyOf, type WorkerConcurrency } from './concurrency.ts';
import type { Admission, EngineLoad, EngineStatus, FaceEngine, LoadedModel } from './engine.ts';
import type { InferenceJob, InferenceReady } from './inference-worker.ts';
import { assertMemoryUnprepared } from './memory.ts';

// ONNX Runtime 1.30 reports its use to Microsoft, and keeps a file in the home directory for that. Set before a
// worker loads the library, on the main thread: a worker's own environment does not reach native code.
process.env.ORT_DISABLE_TELEMETRY ??= '1';
keepPixelsInMemory();

/** Delay before loading is tried again, in milliseconds; doubles with each failure. */
const FIRST_RETRY_DELAY = 1_000;
const LONGEST_RETRY_DELAY = 60_000;
const LOADING_FAILED = 'The model could not be loaded; the log says why.';
/** Retry-After while the service starts, in seconds. */
const RETRY_AFTER_WHILE_STARTING = 5;

/**
 * The minimum that V8 accepts. A worker has few objects of its own, and the size also decides how many bytes outside V8's heap
 * (pixels) may become garbage before V8 collects it.
 */
const YOUNG_GENERATION_MIB = 3;

type Pool = WorkerPool<InferenceReady, InferenceJob, EmbedResult>;

/** Inference in this process: the configured pack, loaded by a pool of worker threads. */
export class InferenceEngine implements FaceEngine {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #embeddingKey: EmbeddingKey | undefined;
  readonly #concurrency: WorkerConcurrency;
  readonly #places: FairPermits;
  readonly #arrivals = new Arrivals();
  readonly #stopping = new AbortController();
  #phase: EngineStatus = { phase: 'starting', reason: 'The weights are being loaded.' };
  /** A pool whose threads have started and wait for the weights. */
  #prepared: Pool | undefined;
  #loaded: { pool: Pool; model: LoadedModel } | undefined;
  #loading: Promise<void> = Promise.resolve();
  #onBeyondRepair = () => {};
  /** Whether workers failed to start with prepared graphs. */
  #distrustPrepared = false;

  /**
   * @param concurrency replaces that of the device, so that tests can batch without a GPU.
   * @throws {StartupError} for a malformed EMBEDDING_KEY, or a file of one that cannot be read.
   */
  constructor(config: Config, log: Logger, concurrency = concurrencyOf(config)) {
    this.#config = config;
    this.#log = log;
    this.#embeddingKey = readEmbeddingKey(config);
    this.#concurrency = concurrency;
    this.#places = new FairPermits({
      capacity: config.WORKERS * concurrency.imagesPerWorker + config.MAX_QUEUE,
      // What callers find who come when another has taken all places.
      reserve: Math.ceil(config.MAX_QUEUE / 2),
      maxPerHolder: config.MAX_QUEUE_PER_KEY,
    });
  }

  get status(): EngineStatus {
    if (this.#phase.phase === 'ready' && this.#loaded?.pool.alive === 0) {
      return { phase: 'unavailable', reason: 'No worker thread is alive; replacements are on their way.' };
    }
    return this.#phase;
  }

  get load(): EngineLoad {
    const pool = this.#loaded?.pool;
    return {
      admitted: this.#places.taken,
      capacity: this.#places.capacity,
      processing: pool?.running ?? 0,
      queued: pool?.queued ?? 0,
      workers: this.#config.WORKERS,
      alive: pool?.alive ?? 0,
      busy: pool?.busy ?? 0,
      restarted: pool?.lost ?? 0,
      hung: pool?.hung ?? 0,
    };
  }

  get model(): LoadedModel | undefined {
    return this.#loaded?.model;
  }

  /**
   * Loads in the background, with retries until it succeeds; see `status`.
   *
   * @param onBeyondRepair called when so many workers hang that only a new process helps. It must not exit, which would wait
   *   for them.
   */
  start(onBeyondRepair = () => {}): void {
    this.#onBeyondRepair = onBeyondRepair;
    this.#loading = this.#loadUntilDone();
  }

  letIn(tenant?: string): () => void {
    const { taken, capacity } = this.#places;
    // While many places are free, uploads that take their time, or never end, cost nobody a place.
    const expected = 2 * taken < capacity ? 0 : this.#arrivals.count(tenant);
    this.admit(expected + 1, tenant).release();
    return this.#arrivals.expect(tenant);
  }

  admit(images: number, tenant?: string): Admission {
    const { status } = this;
    const loaded = this.#loaded;
    if (loaded === undefined || status.phase !== 'ready') throw notReady(status);
    const { pool, model } = loaded;
    const release = this.#places.tryTake(images, tenant);
    if (release === undefined) {
      throw pool.overloaded(this.#places.hasRoom(images) ? 'queue_share' : 'queue_full');
    }
    return {
      model,
      async embed(image, options, signal) {
        const { result, waited } = await pool.run({ image, options }, { transfer: [image.buffer], signal });
        return { ...result, waited: waited + result.waited };
      },
      release,
    };
  }

  /** Ends the workers when they have finished their jobs. Call it when every admission has been released. */
  async close(): Promise<void> {
    this.#phase = { phase: 'unavailable', reason: 'The service is shutting down.' };
    this.#stopping.abort();
    await this.#loading;
    await this.#prepared?.close();
    await this.#loaded?.pool.close();
  }

  async #loadUntilDone(): Promise<void> {
    const { signal } = this.#stopping;
    for (let delay = FIRST_RETRY_DELAY; !signal.aborted; delay = Math.min(delay * 2, LONGEST_RETRY_DELAY)) {
      try {
        await this.#load(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        // Probes need no key, so paths, hashes and sources are for the log only.
        const reason = error instanceof PackError ? error.reason : LOADING_FAILED;
        this.#phase = { phase: 'unavailable', reason };
        this.#log.error({ retryInMs: delay }, `The model pack could not be loaded. ${errorMessage(error)}`);
        await sleep(delay, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #load(signal: AbortSignal): Promise<void> {
    const { MODEL_NAME, MODELS_DIR, MODEL_AUTO_DOWNLOAD, MODEL_BASE_URL, WORKERS } = this.#config;
    const started = performance.now();
    this.#prepared ??= this.#preparePool();
    const graphs = this.#preparedGraphs(signal);
    const plain = await obtainPack({
      name: MODEL_NAME,
      modelsDir: MODELS_DIR,
      autoDownload: MODEL_AUTO_DOWNLOAD,
      baseUrl: MODEL_BASE_URL,
      colourProfiles: this.#config.COLOUR_PROFILES,
      log: this.#log,
      signal,
      isPrepared: graphs && ((sha256) => graphs.has(sha256)),
    });
    const key = this.#embeddingKey;
    const pack = key ? { ...plain, embeddingSpace: protectedSpace(plain.embeddingSpace, key.name) } : plain;
    // Graphs may have been read to tell the detector from the recogniser; what follows uses the same memory.
    collectGarbage('minor');
    const folder = packFolder({ name: MODEL_NAME, modelsDir: MODELS_DIR });
    const { thresholds, curve, warning } = await readThresholds(folder, pack);
    const liveness = await setUpLiveness(this.#config, { log: this.#log, signal });
    const prepared = await graphs?.ofPack(pack);
    signal.throwIfAborted();
    if (graphs && !prepared) assertMemoryUnprepared(this.#config);
    const { batching } = this.#concurrency;
    const setup: NetworkOptions = {
      pack,
      device: this.#config.DEVICE,
      intraOpThreads: this.#config.INTRA_OP_THREADS,
      loneRequestThreads: this.#config.LONE_REQUEST_THREADS,
      detectionSizes: this.#config.DETECTION_SIZES,
      rewrites: this.#config.GRAPH_REWRITES,
      prepared,
      ...(batching && { batching }),
      ...(key && { embeddingKey: key }),
      liveness: liveness?.weights,
    };
    const pool = this.#prepared;
    // If it fails to start, its threads have ended and the next attempt needs new ones.
    this.#prepared = undefined;
    // Only worker 0 gets jobs while the cores are idle, so only it needs sessions with more threads.
    const starting = pool.start((worker) => (worker === 0 ? setup : { ...setup, loneRequestThreads: 1 }));
    const [ready] = await starting.catch((error) => {
      if (!prepared) throw error;
      // They may be the reason.
      this.#distrustPrepared = true;
      throw new Error(`${errorMessage(error)} The next attempt does without the prepared networks.`, {
        cause: error,
      });
    });
    const { embeddingSize, rewrites, facesPerRun, libjpegTurbo } = ready as InferenceReady;
    const model = { pack, embeddingSize, rewrites, thresholds, curve, liveness };
    this.#loaded = { pool, model };
    // A shutdown may have begun meanwhile.
    if (!signal.aborted) this.#phase = { phase: 'ready' };
    this.#log.info(
      {
        model: pack.name,
        embeddingSpace: pack.embeddingSpace,
        licence: pack.licence,
        trainingData: pack.trainingData,
        commercialUse: pack.commercialUse,
        workers: WORKERS,
        ...(batching && { facesPerRun }),
        ...(liveness && {
          liveness: liveness.weights.model,
          livenessThreshold: liveness.threshold ?? 'none',
        }),
        ms: Math.round(performance.now() - started),
      },
      'the model pack is loaded',
    );
    if (warning !== undefined) this.#log.warn(warning);
    if (liveness?.warning !== undefined) this.#log.warn(liveness.warning);
    if (pack.weightBits === 8 && byteSums() === 'narrow') {
      this.#log.warn(
        'The weights of this pack have 8 bits, which overflow on this processor: it has no VNNI, and embeddings are wrong. ' +
          'Make the pack with --weight-bits 7 (docs/QUANTISATION.md).',
      );
    }
    if (!libjpegTurbo) {
      this.#log.warn(
        'libjpeg-turbo could not be loaded. JPEGs get the same pixels from sharp, in about twice the time.',
      );
    }
    if (pack.origin === 'synthetic') {
      this.#log.warn(
        'This is the synthetic pack: it recognises nobody. It is for integration tests and for trying the API.',
      );
    }
  }

  /** Undefined where workers load the files of the pack, which the synthetic one is small enough for. */
  #preparedGraphs(signal: AbortSignal): PreparedGraphs | undefined {
    const folder = preparedFolder(this.#config);
    const unwanted = this.#config.MODEL_NAME === SYNTHETIC_PACK || this.#distrustPrepared;
    if (folder === undefined || unwanted) return undefined;
    return new PreparedGraphs({ folder, rewrites: this.#config.GRAPH_REWRITES, log: this.#log, signal });
  }

  #preparePool(): Pool {
    const { imagesPerWorker, batching } = this.#concurrency;
    const pool: Pool = new WorkerPool({
      entry: builtFile('engine/inference-worker.js'),
      size: this.#config.WORKERS,
      jobsPerWorker: imagesPerWorker,
      prefetch: batching === undefined,
      maxWait: this.#config.REQUEST_TIMEOUT_MS,
      maxRun: this.#config.WORKER_TIMEOUT_MS,
      onBeyondRepair: () => this.#onBeyondRepair(),
      youngGenerationMiB: YOUNG_GENERATION_MIB,
      log: this.#log,
    });
    pool.prepare();
    return pool;
  }
}

function notReady(status: EngineStatus): ServiceError {
  if (status.phase === 'ready') return new ServiceError('MODEL_NOT_LOADED');
  const starting = status.phase === 'starting';
  return new ServiceError('MODEL_NOT_LOADED', {
    message: starting ? 'The model is still being loaded.' : 'No model is loaded.',
    ...(starting ? { retryAfter: RETRY_AFTER_WHILE_STARTING } : {}),
  });
}
