import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { availableMemory } from '../../src/config/memory.ts';
import { StartupError } from '../../src/errors.ts';
import { memoryNeedOf, preparingNeedOf } from '../../src/packs/memory-need.ts';
import { loadFittingConfig } from '../../src/process/fit-memory.ts';
import { writeDescribedPack } from '../support/packs/described-packs.ts';
import { temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

const MIB = 2 ** 20;
const need = (name: string) => memoryNeedOf({ name, modelsDir: '/none' });
/** Of a first start, which prepares the networks. */
const least = (name: string) => preparingNeedOf({ name, modelsDir: '/none' });

describe('the default of WORKERS', () => {
  const cores = loadFittingConfig({}, undefined, Number.MAX_SAFE_INTEGER).WORKERS;

  it('is the number of cores where there is memory for them', () => {
    expect(cores).toBeGreaterThanOrEqual(1);
    expect(loadFittingConfig({ MODEL_NAME: 'buffalo_sc' }, undefined, Number.MAX_SAFE_INTEGER).WORKERS).toBe(
      cores,
    );
  });

  it('leaves a quarter of the memory to bodies and pictures', () => {
    const { first, further } = need('buffalo_l');
    const workers = (memory: number) => loadFittingConfig({}, undefined, memory * MIB).WORKERS;
    expect(workers(least('buffalo_l'))).toBeGreaterThanOrEqual(1);
    // A MiB for rounding.
    for (let count = 1; count <= cores; count++) {
      const enough = (first + (count - 1) * further) / 0.75;
      if (enough - 1 < least('buffalo_l')) continue;
      expect(workers(enough + 1)).toBe(count);
      if (count > 1) expect(workers(enough - 1)).toBe(count - 1);
    }
  });

  it('leaves room for the liveness model of each worker', () => {
    const { first, further } = need('buffalo_m');
    const environment = { MODEL_NAME: 'buffalo_m', WORKERS: '8' };
    const enough = first + 7 * further;
    const load = (LIVENESS_MODEL: string, memory: number) =>
      loadFittingConfig({ ...environment, LIVENESS_MODEL }, undefined, memory * MIB).WORKERS;
    expect(load('', enough)).toBe(8);
    expect(() => load('liveness.onnx', enough)).toThrow(/^WORKERS is 8; accepted is at most/);
    expect(load('liveness.onnx', enough + 8 * 20)).toBe(8);
  });

  it('changes nothing that WORKERS says', () => {
    const { first, further } = need('buffalo_m');
    const environment = { MODEL_NAME: 'buffalo_m', WORKERS: '8' };
    expect(loadFittingConfig(environment, undefined, (first + 7 * further) * MIB).WORKERS).toBe(8);
  });
});

describe('memory that is not enough', () => {
  it('is an error that says what the pack needs', () => {
    const enough = least('buffalo_l');
    expect(enough).toBeGreaterThan(need('buffalo_l').first);
    expect(loadFittingConfig({ WORKERS: '1' }, undefined, enough * MIB).WORKERS).toBe(1);
    expect(() => loadFittingConfig({}, undefined, (enough - 1) * MIB)).toThrow(
      new StartupError(
        `buffalo_l needs about ${enough} MiB of memory, and this process may use ${enough - 1}. ` +
          'Raise the limit of the container, or choose a smaller pack (MODEL_NAME).',
      ),
    );
  });

  it('for WORKERS is an error that says how many are accepted', () => {
    const { first, further } = need('buffalo_l');
    expect(() => loadFittingConfig({ WORKERS: '8' }, undefined, (first + 7 * further - 1) * MIB)).toThrow(
      /^WORKERS is 8; accepted is at most 7: buffalo_l needs about \d+ MiB with 8, and this process may use \d+\.$/,
    );
  });

  it('is reached sooner without prepared networks, of which each session has a copy', () => {
    const memory = least('buffalo_l') * MIB;
    expect(loadFittingConfig({ WORKERS: '1' }, undefined, memory).WORKERS).toBe(1);
    expect(() => loadFittingConfig({ WORKERS: '1', PREPARED_DIR: 'none' }, undefined, memory)).toThrow(
      StartupError,
    );
  });
});

describe('memoryNeedOf', () => {
  it('estimates a folder by its largest network, and follows no links in it', async () => {
    const modelsDir = await temporaryFolder();
    const [small, large] = [new Uint8Array(10 * MIB), new Uint8Array(30 * MIB)];
    await writeFiles(modelsDir, { 'own/a.onnx': small, 'own/b.onnx': large, 'own/deep/c.onnx': large });
    for (const name of ['again', 'more']) await symlink('.', join(modelsDir, 'own', name));
    const empty = memoryNeedOf({ name: 'missing', modelsDir });
    expect(memoryNeedOf({ name: 'own', modelsDir }).first - empty.first).toBe(30);
    expect(empty.further).toBeGreaterThan(0);
  });

  it('estimates a pack with a manifest by the files that it names', async () => {
    const modelsDir = await writeDescribedPack();
    const unused = new Uint8Array(30 * MIB);
    const before = memoryNeedOf({ name: 'own', modelsDir });
    await writeFiles(modelsDir, { 'own/unused.onnx': unused });
    expect(memoryNeedOf({ name: 'own', modelsDir })).toEqual(before);
  });

  it('is larger for packs of larger networks', () => {
    const packs = ['synthetic', 'buffalo_sc', 'buffalo_m', 'buffalo_l', 'antelopev2'].map(need);
    for (const [index, { first, further }] of packs.entries()) {
      expect(first).toBeGreaterThan(packs[index - 1]?.first ?? 0);
      expect(further).toBeGreaterThanOrEqual(packs[index - 1]?.further ?? 0);
    }
  });
});

describe('availableMemory', () => {
  it('is that of the machine, or less', () => {
    expect(availableMemory()).toBeGreaterThan(256 * MIB);
    expect(availableMemory()).toBeLessThan(2 ** 50);
  });
});
