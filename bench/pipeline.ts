import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as ort from 'onnxruntime-node';
import { rewriteGraph } from '../src/onnx/rewrite/rewrite.ts';
import type { ModelPack } from '../src/packs/pack.ts';
import { resolvePack } from '../src/packs/resolve.ts';
import type { FaceSelection } from '../src/vision/detect/selection.ts';
import { loadNetworks } from '../src/vision/networks.ts';
import { type EmbedResult, embedFaces } from '../src/vision/pipeline.ts';
import type { Network } from './reference/inputs.ts';

// The only file of the benchmark that calls the service's code directly.

export type PipelineResult = EmbedResult;
export type EmbedPicture = (bytes: Uint8Array, selection: FaceSelection) => Promise<PipelineResult>;

const OPTIONS = {
  detection: 'full',
  detectionThreshold: 0.5,
  maxFaces: 100,
  maxPixels: 5e7,
  quality: true,
} as const;
const DETECTION_SIZES = [128, 640];

/** @param models the folder that contains the pack. */
export function findPack({ pack, models }: { pack: string; models: string }): Promise<ModelPack> {
  return resolvePack({ name: pack, modelsDir: resolve(models) });
}

/** Embeds encoded pictures as a worker of the service does, in this thread. */
export async function openPipeline(pack: ModelPack): Promise<EmbedPicture> {
  const networks = await loadNetworks({
    pack,
    device: 'cpu',
    intraOpThreads: 1,
    loneRequestThreads: 1,
    detectionSizes: DETECTION_SIZES,
    rewrites: true,
  });
  return (bytes, selection) => embedFaces(new Uint8Array(bytes), { ...OPTIONS, selection }, networks);
}

/** A graph as the service rewrites it. @param path the file of the original graph. */
export function readRewrittenGraph(path: string): Uint8Array {
  return rewriteGraph(new Uint8Array(readFileSync(path))).bytes;
}

/** Milliseconds inside ONNX Runtime. */
export type InferenceTimes = Record<Network, number>;

/**
 * Adds up the time that this thread spends inside ONNX Runtime, in any session. The network with several outputs is the
 * detector.
 *
 * @returns a function that returns the times since its last call.
 */
export function watchInference(): () => InferenceTimes {
  const { prototype } = ort.InferenceSession as unknown as { prototype: ort.InferenceSession };
  const { run } = prototype;
  let spent: InferenceTimes = { detector: 0, recogniser: 0 };
  async function watchedRun(this: ort.InferenceSession, ...args: unknown[]) {
    const started = performance.now();
    try {
      return await Reflect.apply(run, this, args);
    } finally {
      spent[this.outputNames.length > 1 ? 'detector' : 'recogniser'] += performance.now() - started;
    }
  }
  prototype.run = watchedRun;
  return () => {
    const last = spent;
    spent = { detector: 0, recogniser: 0 };
    return last;
  };
}
