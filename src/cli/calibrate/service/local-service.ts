import { resolve } from 'node:path';
import { launchService } from '../../../../bench/servers/service.ts';
import { CalibrationError } from '../usage-error.ts';

/** A first start may download hundreds of megabytes. */
const PATIENCE_MS = 15 * 60_000;

/** Settings of whoever serves callers, which would keep this one from being found, or from being called. */
const NOT_PASSED_ON =
  /^(API_KEYS|API_KEYS_FILE|API_PREFIX|HOST|PORT|METRICS_\w+|CORS_\w+|APP_NAME|LOG_LEVEL|OTEL_\w+)$/;

/**
 * Starts the built service with the settings of this environment and of the `.env` file, for this command alone.
 *
 * @returns {address, stop}.
 * @throws {CalibrationError} when it does not become ready, with its own reason.
 */
export async function startLocalService(signal) {
  const { loadConfig, readEnvironment } = await import('../../../config/load.ts');
  const environment = readEnvironment();
  const settings = Object.entries(environment).filter(([name]) => !NOT_PASSED_ON.test(name));
  try {
    const { MODELS_DIR } = loadConfig(Object.fromEntries(settings));
    const service = await launchService(
      { ...Object.fromEntries(settings), MODELS_DIR: resolve(MODELS_DIR) },
      { findFailure, patience: PATIENCE_MS, signal },
    );
    return { address: service.address, stop: () => service.stop() };
  } catch (error) {
    signal?.throwIfAborted();
    throw new CalibrationError(`The service could not be started. ${error.message}`);
  }
}

/** The service itself would try to load its weights again and again. */
function findFailure(output) {
  const [, message] = /"msg":"(The model pack could not be loaded\.(?:[^"\\]|\\.)*)"/.exec(output) ?? [];
  return message === undefined ? undefined : JSON.parse(`"${message}"`);
}
