import type { EngineLoad } from '../observability/engine-load.ts';
import type { LivenessSetup } from '../packs/liveness/setup.ts';
import type { ModelPack } from '../packs/pack.ts';
import type { CurvePoint, MeasuredThreshold } from '../packs/thresholds.ts';
import type { GraphRewrites } from '../vision/networks.ts';
import type { EmbedOptions, EmbedResult } from '../vision/pipeline.ts';

/** Whether faces can be embedded now, and the reason if not. */
export type EngineStatus =
  | { phase: 'ready' }
  | { phase: 'starting' | 'unavailable' /** A sentence for callers. */; reason: string };

export interface LoadedModel {
  pack: ModelPack;
  /** Numbers in one embedding. */
  embeddingSize: number;
  /** The rewrites of its graphs. */
  rewrites: GraphRewrites;
  /** Measured in its embedding space; empty when none were. */
  thresholds: MeasuredThreshold[];
  /** What scores liveness; undefined if nothing does. */
  liveness?: LivenessSetup | undefined;
  /** The curve of false accept rates that was measured with them. */
  curve?: CurvePoint[] | undefined;
}

export interface EmbedAnswer extends EmbedResult {
  /** Milliseconds the image waited for a worker. */
  waited: number;
}

export type { EngineLoad };

/** Places for images. They are taken until `release`. */
export interface Admission {
  /** The model that embeds the images. */
  readonly model: LoadedModel;
  /**
   * Embeds one image on the next free worker.
   *
   * @param image encoded bytes. They are transferred to the worker: the caller's array is empty afterwards.
   * @param signal takes the image out of the queue; work that has started is finished.
   * @throws {ServiceError} what is wrong with the image; DEADLINE_EXCEEDED.
   */
  embed(image: Uint8Array<ArrayBuffer>, options: EmbedOptions, signal?: AbortSignal): Promise<EmbedAnswer>;
  /** Releases all places. It can be called more than once. */
  release(): void;
}

/** All that the HTTP layer knows about inference. */
export interface FaceEngine {
  readonly status: EngineStatus;
  readonly load: EngineLoad;
  /** Undefined until the weights are loaded. */
  readonly model: LoadedModel | undefined;
  /**
   * Lets a caller in whose images are still to be read, without taking a place: a full service refuses at once, and as many are
   * let in as there are places.
   *
   * @returns a function to call when the images are there, or will not come.
   * @throws {ServiceError} as `admit`.
   */
  letIn(tenant?: string): () => void;
  /**
   * Takes places, when the bytes of the images are there.
   *
   * @param tenant who holds them: each has its share of the places while others hold some.
   * @throws {ServiceError} OVERLOADED when too few are left, MODEL_NOT_LOADED when no image can be embedded.
   */
  admit(images: number, tenant?: string): Admission;
}
