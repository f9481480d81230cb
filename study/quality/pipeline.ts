import { findPack, openPipeline as openServicePipeline } from '../../bench/pipeline.ts';

// With the benchmark's, the only place of the study that knows the inside of the service: what is in dist/.
const DIST = new URL('../../dist/', import.meta.url);
const load = (path) => import(new URL(path, DIST));

/**
 * Encoded picture → {face, timings} as a worker of the service finds, measures and embeds its largest face; undefined
 * for a picture in which it finds none.
 */
export async function openPipeline({ pack, models }) {
  const embed = await openServicePipeline(await findPack({ pack, models }));
  return async (bytes) => {
    try {
      const { faces, timings } = await embed(bytes, 'largest');
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
