import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as ort from 'onnxruntime-node';

// The only place of the benchmark that knows the inside of the service: what is in dist/, and how it is called.
const DIST = new URL('../dist/', import.meta.url);
const load = (path) => import(new URL(path, DIST));

const OPTIONS = { detectionThreshold: 0.5, maxFaces: 100, maxPixels: 5e7, quality: true };
const DETECTION_SIZES = [128, 640];

export async function findPack({ pack, models }) {
  const { resolvePack } = await load('models/resolve.js');
  return resolvePack({ name: pack, modelsDir: resolve(models) });
}

/** Encoded picture → faces, as a worker of the service does it, in this thread. */
export async function openPipeline(pack) {
  const { loadNetworks } = await load('vision/networks.js');
  const { embedFaces } = await load('vision/pipeline.js');
  const networks = await loadNetworks({
    pack,
    device: 'cpu',
    intraOpThreads: 1,
    loneThreads: 1,
    detectionSizes: DETECTION_SIZES,
    rewrites: true,
  });
  return (bytes, selection) =>
    embedFaces(new Uint8Array(bytes), { ...OPTIONS, selection, detection: 'full' }, networks);
}

/** Path → the graph as the service rewrites it, {bytes, applied}; undefined where this version rewrites nothing. */
export async function findRewriter() {
  const folder = new URL('models/rewrite/', DIST);
  for (const file of listing(folder).filter((name) => name.endsWith('.js'))) {
    const { rewriteGraph } = await import(new URL(file, folder));
    if (rewriteGraph !== undefined) return async (path) => rewriteGraph(new Uint8Array(readFileSync(path)));
  }
  return undefined;
}

/**
 * Adds up the time that this thread spends inside ONNX Runtime, whoever calls it. The detector is told from the
 * recogniser by its many outputs.
 *
 * @returns a function that gives {detector, recogniser}: the milliseconds since its last call.
 */
export function watchInference() {
  const { prototype } = ort.InferenceSession;
  const { run } = prototype;
  let spent = { detector: 0, recogniser: 0 };
  prototype.run = async function watchedRun(...values) {
    const started = performance.now();
    try {
      return await run.apply(this, values);
    } finally {
      spent[this.outputNames.length > 1 ? 'detector' : 'recogniser'] += performance.now() - started;
    }
  };
  return () => {
    const last = spent;
    spent = { detector: 0, recogniser: 0 };
    return last;
  };
}

function listing(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
