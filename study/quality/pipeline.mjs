import { resolve } from 'node:path';

// The only place of the study that knows the inside of the service: what is in dist/, and how it is called.
const DIST = new URL('../../dist/', import.meta.url);
const load = (path) => import(new URL(path, DIST));

const OPTIONS = {
  selection: 'largest',
  detection: 'full',
  detectionThreshold: 0.5,
  maxFaces: 1,
  maxPixels: 5e7,
  quality: true,
};
const DETECTION_SIZES = [128, 640];

/**
 * Encoded picture → {face, timings} as a worker of the service finds, measures and embeds its largest face; undefined
 * for a picture in which it finds none.
 */
export async function openPipeline({ pack: name, models }) {
  const { resolvePack } = await load('models/resolve.js');
  const { loadNetworks } = await load('vision/networks.js');
  const { embedFaces } = await load('vision/pipeline.js');
  const pack = await resolvePack({ name, modelsDir: resolve(models) });
  const networks = await loadNetworks({
    pack,
    device: 'cpu',
    intraOpThreads: 1,
    detectionSizes: DETECTION_SIZES,
    rewrites: true,
  });
  return async (bytes) => {
    try {
      const { faces, timings } = await embedFaces(new Uint8Array(bytes), OPTIONS, networks);
      return { face: faces[0], timings };
    } catch (error) {
      if (error.code === 'NO_FACE_DETECTED') return undefined;
      throw error;
    }
  };
}

/** How the service scores what it has measured, and how it puts a refusal into words. */
export async function loadScoring() {
  const { SCORE_WEIGHTS, scoreQuality, scoreTerms } = await load('vision/quality-score.js');
  const { findLowQuality, QUALITY_REASONS } = await load('vision/quality-gate.js');
  return { weights: SCORE_WEIGHTS, scoreQuality, scoreTerms, findLowQuality, reasons: QUALITY_REASONS };
}
