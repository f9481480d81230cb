import { StartupError } from '../../errors.ts';
import { PackError } from '../pack-errors.ts';
import { packFolder } from '../pack-folders.ts';
import { LIVENESS_FILE, type LivenessCalibration, readLivenessCalibration } from './calibration-file.ts';
import { type LivenessWeights, resolveLiveness } from './weights.ts';

/** The liveness model of the service, and the score from which it calls a face live. */
export interface LivenessSetup {
  weights: LivenessWeights;
  /** 0..1; undefined if nothing says which. */
  threshold: number | undefined;
  /** What was measured with this model; a threshold of the settings goes before its own. */
  calibration?: LivenessCalibration;
  /** For the log. */
  warning?: string;
}

export interface LivenessSettings {
  LIVENESS_MODEL: string;
  LIVENESS_THRESHOLD: number | undefined;
  MODELS_DIR: string;
  MODEL_NAME: string;
}

/**
 * Finds the liveness model of the settings, and its threshold: that of LIVENESS_THRESHOLD, or else the one in the folder of the
 * pack, whose detector gives the boxes that the model is fed with.
 *
 * @returns undefined without LIVENESS_MODEL.
 * @throws {PackError} when a file is missing or is not what it has to be.
 */
export async function setUpLiveness(settings: LivenessSettings): Promise<LivenessSetup | undefined> {
  const { LIVENESS_MODEL: model, LIVENESS_THRESHOLD, MODELS_DIR: modelsDir, MODEL_NAME: name } = settings;
  if (model === '') return undefined;
  const weights = await resolveLiveness({ model, modelsDir });
  const measured = await readLivenessCalibration(packFolder({ name, modelsDir }), weights);
  return { weights, ...measured, threshold: LIVENESS_THRESHOLD ?? measured.calibration?.threshold };
}

/**
 * Checks at startup that the liveness model is there, and that there is a threshold if live faces are required: a service that
 * could not tell them from others must not seem to.
 *
 * @throws {StartupError}
 */
export async function assertLivenessReady(
  settings: LivenessSettings & { LIVENESS: 'off' | 'report' | 'require' },
): Promise<void> {
  const { LIVENESS, LIVENESS_MODEL, MODELS_DIR: modelsDir, MODEL_NAME: name } = settings;
  const setup = await setUpLiveness(settings).catch((error) => {
    if (!(error instanceof PackError)) throw error;
    throw new StartupError(`LIVENESS_MODEL is ${JSON.stringify(LIVENESS_MODEL)}. ${error.message}`);
  });
  if (LIVENESS !== 'require' || setup?.threshold !== undefined) return;
  throw new StartupError(
    `LIVENESS is require, and nothing says from which score a face is live. ${setup?.warning ? `${setup.warning} ` : ''}` +
      `Measure it on pictures of your own (npm run calibrate -- --liveness) and put ${LIVENESS_FILE} into ` +
      `${packFolder({ name, modelsDir })}, or set LIVENESS_THRESHOLD.`,
  );
}
