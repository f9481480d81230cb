import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { memoryOf, sharedWithOthers } from '../../bench/servers/proc.ts';
import { writeStandIn } from '../../bench/standins/pack.ts';
import { memoryNeedOf } from '../../src/packs/memory-need.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';
import { FACES, hasRealWeights, MODELS } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const HAS_MEMORY = existsSync('/proc/self/smaps');
const WORKERS = 2;
/** Enough that every worker has had several of each size. */
const ROUNDS = 3;

let service: ServiceProcess | undefined;
afterEach(() => service?.end());

/** MiB after photographs, of which every worker got some. */
async function memoryAfterPhotographs(modelsDir: string, name: string): Promise<number> {
  service = new ServiceProcess({
    MODELS_DIR: modelsDir,
    MODEL_NAME: name,
    PREPARED_DIR: await temporaryFolder(),
    WORKERS: String(WORKERS),
    MALLOC_ARENA_MAX: '2',
  });
  const address = await service.ready();
  const folder = join(FACES, 'lfw');
  const photographs = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.jpg'))
    .slice(0, 10)
    .map((file) => readFileSync(join(folder, file)));
  for (let round = 0; round < ROUNDS; round++) {
    const answers = await Promise.all(
      photographs.map((body) =>
        fetch(`${address}/v1/embed?faces=all`, {
          method: 'POST',
          headers: { 'content-type': 'image/jpeg' },
          body,
        }),
      ),
    );
    for (const answer of answers) {
      expect(answer.status).toBeLessThan(500);
      await answer.arrayBuffer();
    }
  }
  const pid = service.child.pid as number;
  return (memoryOf(pid) ?? Number.NaN) + sharedWithOthers(pid);
}

describe.skipIf(!hasRealWeights || !HAS_MEMORY)('the memory that the catalogue states', () => {
  it.each([
    ['buffalo_l', 'standin-l'],
    ['buffalo_m', 'standin-m'],
    ['buffalo_sc', 'buffalo_sc_dq'],
  ] as const)('for %s is what %s takes, within a quarter', async (pack, standIn) => {
    const { first, further } = memoryNeedOf({ name: pack, modelsDir: MODELS });
    let modelsDir = MODELS;
    if (standIn !== 'buffalo_sc_dq') {
      modelsDir = await temporaryFolder();
      writeStandIn(standIn, { models: MODELS, target: modelsDir });
    }
    const measured = await memoryAfterPhotographs(modelsDir, standIn);
    const stated = first + (WORKERS - 1) * further;
    console.log(`${standIn}: ${measured.toFixed(0)} MiB with ${WORKERS} workers, ${stated} stated`);
    expect(measured).toBeLessThan(1.25 * stated);
    expect(measured).toBeGreaterThan(stated / 1.25);
  });
});
