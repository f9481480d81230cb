import { type AutoDevice, factsOf } from '../config/devices.ts';
import { type Environment, loadConfig } from '../config/load.ts';
import { availableMemory } from '../config/memory.ts';
import type { Config } from '../config/settings.ts';
import { sessionsOf } from '../engine/memory.ts';
import { StartupError } from '../errors.ts';
import type { MemoryNeed } from '../packs/catalogue.ts';
import { memoryNeedOf, preparingNeedOf, unpreparedNeedOf } from '../packs/memory-need.ts';

const MIB = 2 ** 20;

/** The share of the memory that the default of WORKERS plans with. The rest is for bodies and for large pictures. */
const PLANNED_SHARE = 0.75;

/** What each worker's liveness model takes: MiniFASNet's pair, the largest, measured like the packs (catalogue.ts). */
const LIVENESS_MIB = 20;

/**
 * Loads the configuration with as many workers as the cores and the memory are enough for, unless WORKERS says how many.
 *
 * @param autoDevice what DEVICE=auto stands for.
 * @param memory bytes that the process may use.
 * @throws {StartupError} as `loadConfig`, or when the memory is not enough for the pack with so many workers.
 */
export function loadFittingConfig(
  environment: Environment,
  autoDevice?: AutoDevice,
  memory = availableMemory(),
): Config {
  const config = loadConfig(environment, autoDevice);
  // Weights are in the memory of the GPU, and how much of its own the process needs has not been measured.
  if (factsOf(config.DEVICE).gpu) return config;
  const limit = Math.floor(memory / MIB);
  const need = needOf(config);
  const least = leastOf(config);
  if (limit < least) {
    throw new StartupError(
      `${config.MODEL_NAME} needs about ${least} MiB of memory, and this process may use ${limit}. ` +
        'Raise the limit of the container, or choose a smaller pack (MODEL_NAME).',
    );
  }
  const most = workersIn(limit, need);
  if (environment.WORKERS?.trim()) {
    if (config.WORKERS <= most) return config;
    throw new StartupError(
      `WORKERS is ${config.WORKERS}; accepted is at most ${most}: ${config.MODEL_NAME} needs about ` +
        `${need.first + (config.WORKERS - 1) * need.further} MiB with ${config.WORKERS}, and this process may use ${limit}.`,
    );
  }
  const workers = workersThatFit(config.WORKERS, limit, need);
  return workers === config.WORKERS
    ? config
    : loadConfig({ ...environment, WORKERS: String(workers) }, autoDevice);
}

/**
 * The default of WORKERS.
 *
 * @param limit of the memory, in MiB.
 */
export function workersThatFit(cores: number, limit: number, need: MemoryNeed): number {
  return Math.max(1, Math.min(cores, workersIn(limit * PLANNED_SHARE, need)));
}

/** How many workers so many MiB are enough for; 0 if not for one. */
function workersIn(limit: number, { first, further }: MemoryNeed): number {
  return limit < first ? 0 : 1 + Math.floor((limit - first) / further);
}

function isPrepared(config: Config): boolean {
  return config.PREPARED_DIR !== 'none';
}

function needOf(config: Config): MemoryNeed {
  const pack = packOf(config);
  const { first, further } = isPrepared(config)
    ? memoryNeedOf(pack)
    : unpreparedNeedOf(pack, sessionsOf(config));
  const liveness = config.LIVENESS_MODEL === '' ? 0 : LIVENESS_MIB;
  return { first: first + liveness, further: further + liveness };
}

/** MiB that are needed for one worker, and at the first start. */
function leastOf(config: Config): number {
  const { first } = needOf(config);
  return isPrepared(config) ? Math.max(first, preparingNeedOf(packOf(config))) : first;
}

const packOf = (config: Config) => ({ name: config.MODEL_NAME, modelsDir: config.MODELS_DIR });
