import { existsSync } from 'node:fs';
import { StartupError } from '../errors.ts';
import { IMAGES_PER_GPU_WORKER, imagesAtOnce } from './concurrency.ts';
import { type AutoDevice, factsOf } from './devices.ts';
import type { Setting } from './setting.ts';
import { type Config, SETTINGS } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment, completed by a `.env` file in the working directory. Variables of the environment take precedence. */
export function readEnvironment(): Environment {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}

/**
 * Reads the configuration from environment variables. An empty variable counts as unset, as Docker Compose and
 * Kubernetes pass an absent value that way.
 *
 * @param autoDevice what DEVICE=auto stands for. A program that runs no inference need not find out.
 * @throws {StartupError} naming every variable with an unacceptable value, the value, and what is accepted.
 */
export function loadConfig(environment: Environment, autoDevice?: AutoDevice): Config {
  const problems: string[] = [];
  const entries = Object.entries(SETTINGS).map(([name, entry]: [string, Setting<unknown>]) => {
    const text = environment[name]?.trim();
    if (text === undefined || text === '') return [name, defaultOf(entry)];
    const value = entry.parse(text);
    if (value === undefined) {
      const shown = entry.secret ? 'set to something else' : JSON.stringify(text);
      problems.push(`${name} is ${shown}; accepted is ${entry.accepts}.`);
    }
    return [name, value];
  });
  const parsed = resolveDevice(Object.fromEntries(entries), autoDevice);
  const { gpu, maxWorkers } = factsOf(parsed.DEVICE);
  // Only faces of one worker are recognised in a batch, and each worker takes its share of the GPU's memory.
  const workers = gpu && !environment.WORKERS?.trim() ? 1 : parsed.WORKERS;
  // WORKERS may have been chosen for another device that auto can stand for.
  const given = { ...parsed, WORKERS: autoDevice ? Math.min(workers, maxWorkers ?? workers) : workers };
  // A batch of more images than there are places would always be refused.
  const places = imagesAtOnce(given) + given.MAX_QUEUE;
  const config = { ...given, MAX_BATCH_SIZE: Math.min(given.MAX_BATCH_SIZE, places) };
  if (environment.MAX_BATCH_SIZE && given.MAX_BATCH_SIZE > places) {
    const workers = gpu ? `${IMAGES_PER_GPU_WORKER} × WORKERS` : 'WORKERS';
    problems.push(
      `MAX_BATCH_SIZE is ${given.MAX_BATCH_SIZE}; accepted is at most ${workers} + MAX_QUEUE, ${places}.`,
    );
  }
  if (problems.length === 0 && maxWorkers !== undefined && config.WORKERS > maxWorkers) {
    problems.push(`WORKERS is ${config.WORKERS}; accepted with DEVICE=${config.DEVICE} is ${maxWorkers}.`);
  }
  if (problems.length === 0 && config.MAX_REQUEST_SIZE < config.MAX_IMAGE_SIZE) {
    problems.push(
      `MAX_REQUEST_SIZE is ${config.MAX_REQUEST_SIZE}; accepted is at least MAX_IMAGE_SIZE, ${config.MAX_IMAGE_SIZE}.`,
    );
  }
  if (problems.length === 0 && config.CORS_ENABLED && config.CORS_ORIGINS.length === 0) {
    problems.push('CORS_ENABLED is true; it needs CORS_ORIGINS, the origins that may call.');
  }
  if (problems.length === 0 && config.LIVENESS !== 'off' && config.LIVENESS_MODEL === '') {
    problems.push(`LIVENESS is ${config.LIVENESS}; it needs LIVENESS_MODEL, the network that scores faces.`);
  }
  if (problems.length > 0) throw new StartupError(problems.join('\n'));
  return config;
}

/** Whether the device has to be found out. */
export function isDeviceAuto({ DEVICE }: Environment): boolean {
  return DEVICE?.trim() === 'auto';
}

function resolveDevice(parsed: Record<string, unknown>, autoDevice: AutoDevice | undefined): Config {
  if (parsed.DEVICE === 'auto')
    return { ...parsed, DEVICE: autoDevice?.device ?? 'cpu', autoDevice } as Config;
  // A value that is not accepted is reported with the other problems.
  return { ...parsed, DEVICE: parsed.DEVICE ?? 'cpu' } as Config;
}

export function defaultOf<T>(entry: Setting<T>): T {
  return typeof entry.default === 'function' ? (entry.default as () => T)() : entry.default;
}
