import type { EmbedAnswer } from '../../../src/engine/engine.ts';
import type { InferenceEngine } from '../../../src/engine/inference-engine.ts';
import { MODELS } from '../shared.ts';
import { startEngine, testConfig } from './engines.ts';

/**
 * Starts the real engine with real weights and as many workers as there are cores. Tests send all their pictures at once, so
 * a request may wait for long.
 */
export const startRealEngine = (settings: Record<string, string> = {}): Promise<InferenceEngine> =>
  startEngine(
    testConfig({
      MODEL_NAME: 'buffalo_sc_dq',
      MODELS_DIR: MODELS,
      WORKERS: '',
      MAX_QUEUE: '2000',
      REQUEST_TIMEOUT_MS: '600000',
      ...settings,
    }),
  );

/** Embeds as the HTTP layer does. */
export async function embed(
  engine: InferenceEngine,
  image: Uint8Array<ArrayBuffer>,
  selection: 'single' | 'largest' | 'all',
  detection: 'full' | 'fast' = 'full',
): Promise<EmbedAnswer> {
  const admission = engine.admit(1);
  try {
    return await admission.embed(image, {
      selection,
      detection,
      detectionThreshold: 0.5,
      maxFaces: 100,
      maxPixels: 50_000_000,
    });
  } finally {
    admission.release();
  }
}
