import type { ModelPack } from '../packs/pack.ts';
import type { MeasuredThreshold } from '../packs/thresholds.ts';
import type { GraphRewrites } from '../vision/networks.ts';
import type { EmbedOptions, EmbedResult } from '../vision/pipeline.ts';

/** Whether faces can be embedded right now, and if not, why. */
export type EngineStatus =
  | { phase: 'ready' }
  | { phase: 'starting' | 'unavailable' /** A sentence for operators. */; reason: string };

export interface LoadedModel {
  pack: ModelPack;
  /** Numbers in one embedding. */
  embeddingSize: number;
  /** What was rewritten in its graphs. */
  rewrites: GraphRewrites;
  /** Measured in its embedding space; empty without evidence. */
  thresholds: MeasuredThreshold[];
}

export interface EmbedAnswer extends EmbedResult {
  /** Milliseconds the image waited for a worker. */
  waited: number;
}

/** How much the engine has to do. Counts are images, unless it says workers. */
export interface EngineLoad {
  /** Places that are taken, those of images whose bytes are still on their way included. */
  admitted: number;
  /** Places there are. */
  capacity: number;
  /** In the hands of workers. */
  processing: number;
  queued: number;
  /** Worker threads: configured, able to work, at work, and lost and replaced so far. */
  workers: number;
  alive: number;
  busy: number;
  restarted: number;
}

/** Places for images whose bytes may still be on their way. Hold it for as long as the work lasts. */
export interface Admission {
  /** What embeds the images. */
  readonly model: LoadedModel;
  /**
   * Takes further places, when it has become known how many images there are.
   *
   * @throws {ServiceError} OVERLOADED when there are not enough; those taken before stay taken.
   */
  grow(images: number): void;
  /**
   * Embeds one image on the next free worker.
   *
   * @param image encoded bytes. They are moved to the worker: the caller's array is empty afterwards.
   * @param signal takes the image out of the queue; what has started is finished.
   * @throws {ServiceError} what the image or the load of the service gives reason for.
   */
  embed(image: Uint8Array<ArrayBuffer>, options: EmbedOptions, signal?: AbortSignal): Promise<EmbedAnswer>;
  /** Gives all places back. May be called more than once. */
  release(): void;
}

/** All that HTTP knows of inference. */
export interface FaceEngine {
  readonly status: EngineStatus;
  readonly load: EngineLoad;
  /** Undefined until the weights are loaded. */
  readonly model: LoadedModel | undefined;
  /**
   * Reserves places before the bytes are read.
   *
   * @throws {ServiceError} OVERLOADED when there are not enough, MODEL_NOT_LOADED when nothing can be embedded.
   */
  admit(images: number): Admission;
}
