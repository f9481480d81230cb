import { StartupError } from '../../errors.ts';
import { PackError, PackMissingError } from '../pack-errors.ts';
import { exists, packFolder } from '../pack-folders.ts';
import { LIVENESS_FILE, type LivenessCalibration, readLivenessCalibration } from './calibration-file.ts';
import { LIVENESS_CATALOGUE, type LivenessCatalogue } from './catalogue.ts';
import type { LivenessDownload } from './download.ts';
import { type LivenessWeights, modelName, publishedPath, resolveLiveness } from './weights.ts';

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
  MODEL_AUTO_DOWNLOAD: boolean;
  MODEL_BASE_URL: string;
}

export interface LivenessSetupOptions extends Pick<LivenessDownload, 'log' | 'signal' | 'tuning'> {
  catalogue?: LivenessCatalogue;
}

/**
 * Finds the liveness model of the settings, and its threshold: that of LIVENESS_THRESHOLD, or else the one in the folder of the
 * pack, whose detector gives the boxes that the model is fed with. A network of the catalogue that is missing is downloaded first,
 * where that is allowed.
 *
 * @returns undefined without LIVENESS_MODEL.
 * @throws {PackError} when a file is missing or is not what it has to be, or cannot be downloaded.
 */
export async function setUpLiveness(
  settings: LivenessSettings,
  { catalogue = LIVENESS_CATALOGUE, ...download }: LivenessSetupOptions,
): Promise<LivenessSetup | undefined> {
  const { LIVENESS_MODEL: model, MODELS_DIR: modelsDir, MODEL_BASE_URL: baseUrl } = settings;
  if (model === '') return undefined;
  const location = { model, modelsDir, catalogue };
  const published = catalogue.get(model);
  const weights = await resolveLiveness(location).catch(async (error) => {
    if (!(error instanceof PackMissingError && published && settings.MODEL_AUTO_DOWNLOAD)) throw error;
    const isInstalled = () => exists(publishedPath(published, modelsDir));
    // Loaded on demand, because most starts need no download.
    const { downloadLiveness } = await import('./download.ts');
    await downloadLiveness(published, isInstalled, { modelsDir, baseUrl, ...download });
    return resolveLiveness(location);
  });
  return { weights, ...(await findThreshold(settings, weights)) };
}

async function findThreshold(
  { LIVENESS_THRESHOLD, MODELS_DIR: modelsDir, MODEL_NAME: name }: LivenessSettings,
  weights: Parameters<typeof readLivenessCalibration>[1],
): Promise<Omit<LivenessSetup, 'weights'>> {
  const measured = await readLivenessCalibration(packFolder({ name, modelsDir }), weights);
  return { ...measured, threshold: LIVENESS_THRESHOLD ?? measured.calibration?.threshold };
}

/**
 * Checks at startup that the liveness model is there, or can be downloaded, and that there is a threshold if live faces are
 * required: a service that could not tell them from others must not seem to.
 *
 * @throws {StartupError}
 */
export async function assertLivenessReady(
  settings: LivenessSettings & { LIVENESS: 'off' | 'report' | 'require' },
  catalogue = LIVENESS_CATALOGUE,
): Promise<void> {
  const { LIVENESS, LIVENESS_MODEL, MODELS_DIR: modelsDir, MODEL_NAME: name } = settings;
  if (LIVENESS_MODEL === '') return;
  const found = await findReady(settings, catalogue).catch((error) => {
    if (!(error instanceof PackError)) throw error;
    throw new StartupError(`LIVENESS_MODEL is ${JSON.stringify(LIVENESS_MODEL)}. ${error.message}`);
  });
  if (LIVENESS !== 'require' || found.threshold !== undefined) return;
  throw new StartupError(
    `LIVENESS is require, and nothing says from which score a face is live. ${found.warning ? `${found.warning} ` : ''}` +
      `Measure it on pictures of your own (npm run calibrate -- --liveness) and put ${LIVENESS_FILE} into ` +
      `${packFolder({ name, modelsDir })}, or set LIVENESS_THRESHOLD.`,
  );
}

async function findReady(
  settings: LivenessSettings,
  catalogue: LivenessCatalogue,
): Promise<Omit<LivenessSetup, 'weights'>> {
  const { LIVENESS_MODEL: model, MODELS_DIR: modelsDir, MODEL_AUTO_DOWNLOAD } = settings;
  const published = catalogue.get(model);
  if (published && MODEL_AUTO_DOWNLOAD && !(await exists(publishedPath(published, modelsDir)))) {
    // It will be downloaded, and its hash is known.
    const files = [published.file];
    return findThreshold(settings, { model: modelName(published.family, files), files });
  }
  return findThreshold(settings, await resolveLiveness({ model, modelsDir, catalogue }));
}
