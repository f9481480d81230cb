import { memoryNeedOf } from '../../src/packs/memory-need.ts';
import { workersThatFit } from '../../src/process/fit-memory.ts';
import { table } from '../markdown.ts';

const LIMITS_GIB = [1, 2, 4, 16];
const CORES = [2, 4, 16];
const PACKS = ['buffalo_l', 'buffalo_m', 'buffalo_s'];

/** The section `workers` of `docs/OPERATIONS.md`: the default of WORKERS by memory and cores. */
export function renderWorkers(): string {
  return table(
    ['memory limit', ...PACKS.map((name) => `\`${name}\` on ${CORES.join(', ')} cores`)],
    LIMITS_GIB.map((limit) => [
      `${limit} GiB`,
      ...PACKS.map((name) => {
        const need = memoryNeedOf({ name, modelsDir: '' });
        return CORES.map((cores) => workersThatFit(cores, limit * 1024, need)).join(', ');
      }),
    ]),
  );
}
