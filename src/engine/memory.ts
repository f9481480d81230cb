import { availableMemory } from '../config/memory.ts';
import type { Config } from '../config/settings.ts';
import { unpreparedNeedOf } from '../packs/memory-need.ts';

/** Sessions of each network in the first worker: one for lone requests may be added. */
export function sessionsOf({
  LONE_REQUEST_THREADS,
  INTRA_OP_THREADS,
}: Pick<Config, 'LONE_REQUEST_THREADS' | 'INTRA_OP_THREADS'>): number {
  return LONE_REQUEST_THREADS > INTRA_OP_THREADS ? 2 : 1;
}

/**
 * Checks that networks can be loaded from the pack which could not be prepared, before the system ends the process for it.
 *
 * @throws {Error} saying how much memory that takes.
 */
export function assertMemoryUnprepared(config: Config, memory = availableMemory()): void {
  const pack = { name: config.MODEL_NAME, modelsDir: config.MODELS_DIR };
  const { first, further } = unpreparedNeedOf(pack, sessionsOf(config));
  const need = first + (config.WORKERS - 1) * further;
  const limit = Math.floor(memory / 2 ** 20);
  if (need <= limit) return;
  throw new Error(
    `Without prepared networks it needs about ${need} MiB of memory with WORKERS=${config.WORKERS}, and this process may use ` +
      `${limit}.`,
  );
}
