import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeSyntheticPack, generateSyntheticPack } from '../../tools/synthetic/pack.ts';
import { servePack, writeDescribedPack } from '../support/packs/described-packs.ts';
import { ROOT } from '../support/shared.ts';
import { temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

const OPTIONS = { embeddingSize: 128 };
const recogniser = describeSyntheticPack(generateSyntheticPack(OPTIONS), OPTIONS).tasks.recognition;
const SPACE = `own:${recogniser.sha256.slice(0, 12)}`;

const ENTRY = {
  far: 0.01,
  metric: 'cosine',
  threshold: 0.62,
  threshold_interval: [0.58, 0.65],
  measured_far: 0.0098,
  measured_far_interval: [0.0081, 0.0119],
  tar: 0.97,
  tar_interval: [0.94, 0.99],
  evidence: 'rule_of_30',
};

const FILE = {
  thresholds_version: 1,
  embedding_space: SPACE,
  created: '2030-01-31T12:00:00.000Z',
  source: 'door cameras, January',
  genuine_pairs: 400,
  impostor_pairs: 9_000,
  people: 120,
  thresholds: [ENTRY, { ...ENTRY, metric: 'euclidean', threshold: 1.11 }],
};

/** Serves a pack with these thresholds. */
async function serveWith(thresholds: unknown) {
  const text = typeof thresholds === 'string' ? thresholds : JSON.stringify(thresholds);
  return servePack(await writeDescribedPack({ ...OPTIONS, files: { 'thresholds.json': text } }));
}

describe('thresholds.json', () => {
  it('is served with the evidence for each threshold', async () => {
    const { get, warnings } = await serveWith({ ...FILE, colour: 'ignored' });
    const { thresholds } = (await get('/v1/model-info')).body;
    const evidence = {
      genuine_pairs: 400,
      impostor_pairs: 9_000,
      people: 120,
      source: 'door cameras, January',
      created: '2030-01-31T12:00:00.000Z',
    };
    expect(thresholds).toEqual(FILE.thresholds.map((entry) => ({ ...entry, ...evidence })));
    expect(warnings).toEqual([]);
  });

  it('is ignored with a warning if it belongs to another embedding space', async () => {
    const { get, ready, warnings } = await serveWith({ ...FILE, embedding_space: 'own:0123456789ab' });
    expect(ready.status).toBe(200);
    expect((await get('/v1/model-info')).body.thresholds).toEqual([]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`its embedding space is own:0123456789ab, that of the pack is ${SPACE}`);
  });

  it.each<[string, unknown]>([
    ['is not JSON', '{"thresholds_version": 1'],
    ['it must be an object', '[]'],
    ['thresholds_version must be 1', { ...FILE, thresholds_version: 2 }],
    ['embedding_space must be a string', { ...FILE, embedding_space: undefined }],
    ['created must be a date and time', { ...FILE, created: 'yesterday' }],
    ['people must be positive', { ...FILE, people: 0 }],
    ['thresholds must be a list', { ...FILE, thresholds: {} }],
    ['thresholds.0.far must be below 1', { ...FILE, thresholds: [{ ...ENTRY, far: 1 }] }],
    ['thresholds.0.metric must be one of cosine', { ...FILE, thresholds: [{ ...ENTRY, metric: 'l2' }] }],
    ['thresholds.0.threshold must be a number', { ...FILE, thresholds: [{ ...ENTRY, threshold: '0.6' }] }],
    [
      'thresholds.0.threshold must be at most 1',
      { ...FILE, thresholds: [{ ...ENTRY, metric: 'similarity', threshold: 1.2 }] },
    ],
    [
      'thresholds.1.tar_interval must have the lower end first',
      {
        ...FILE,
        thresholds: [ENTRY, { ...ENTRY, far: 0.1, tar_interval: [0.99, 0.94] }],
      },
    ],
    ['thresholds must name each pair of far and metric once', { ...FILE, thresholds: [ENTRY, ENTRY] }],
  ])('stops the load if it is malformed: %s', async (problem, thresholds) => {
    const { ready, errors } = await serveWith(thresholds);
    expect(ready.status).toBe(503);
    expect(ready.body.detail).toBe('The model pack is not valid; the log says why.');
    expect(errors[0]).toContain('thresholds.json');
    expect(errors[0]).toContain(problem);
  });

  it('is not read for the synthetic pack', async () => {
    const modelsDir = await temporaryFolder();
    await writeFiles(join(modelsDir, 'synthetic'), { 'thresholds.json': JSON.stringify(FILE) });
    const { body: info } = await (await servePack(modelsDir, 'synthetic')).get('/v1/model-info');
    expect(info).toMatchObject({ name: 'synthetic', thresholds: [] });
  });

  it('is installed with a pack from a folder, and counted by npm run models -- verify', async () => {
    const modelsDir = await writeDescribedPack({
      ...OPTIONS,
      files: { 'thresholds.json': JSON.stringify(FILE) },
    });
    const folder = await temporaryFolder();
    const models = (...words: string[]) =>
      execFileSync(process.execPath, [join(ROOT, 'dist/cli/models.js'), ...words], {
        cwd: folder,
        env: { MODELS_DIR: folder },
        encoding: 'utf8',
      });
    models('install', 'own', '--from', join(modelsDir, 'own'));
    expect(models('verify', 'own')).toContain('2 measured thresholds');
  });
});
