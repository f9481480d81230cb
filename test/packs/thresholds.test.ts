import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { provisionalFor } from '../../src/packs/provisional/provisional.ts';
import { W600K_MBF } from '../../src/packs/provisional/w600k-mbf.ts';
import { readThresholds } from '../../src/packs/thresholds.ts';
import type { FarPoint } from '../../src/similarity/far-curve.ts';
import { describeSyntheticPack, generateSyntheticPack } from '../../tools/synthetic/pack.ts';
import { FAR_POINTS } from '../support/far-points.ts';
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

const withCurve = (points: FarPoint[], more = {}) => ({
  ...FILE,
  thresholds_version: 2,
  curve: { metric: 'similarity', interval: 'prediction', points, ...more },
});

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
    ['thresholds_version must be 1 or 2', { ...FILE, thresholds_version: 3 }],
    ['curve.metric must be similarity', withCurve(FAR_POINTS, { metric: 'cosine' })],
    ['curve.points must have a point with far', withCurve([{ score: 0.7, high: 0.1 }])],
    ['curve.points must have falling scores', withCurve(FAR_POINTS.toReversed())],
    [
      'curve.points must have rates that do not fall',
      withCurve([...FAR_POINTS, { score: 0.1, far: 0.9, low: 0.8, high: 1 }]),
    ],
    ['curve.points must have rates that do not fall', withCurve([...FAR_POINTS, { score: 0.1, high: 1 }])],
    ['curve.points.0 must have far and low, or neither', withCurve([{ score: 0.7, far: 0.1, high: 0.2 }])],
    [
      'curve.points.0 must have low, far and high in order',
      withCurve([{ score: 0.7, far: 0.1, low: 0.2, high: 0.3 }]),
    ],
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

  it.each([
    ['a curve from version 2 on', withCurve(FAR_POINTS), FAR_POINTS],
    ['no curve in version 1', { ...withCurve(FAR_POINTS), thresholds_version: 1 }, undefined],
    ['no curve without one', { ...FILE, thresholds_version: 2 }, undefined],
  ])('has %s', async (_, file, curve) => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'thresholds.json': JSON.stringify(file) });
    const read = await readThresholds(folder, { origin: 'manifest', embeddingSpace: SPACE });
    expect(read.thresholds).toHaveLength(2);
    expect(read.curve).toEqual(curve);
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

describe('provisional thresholds', () => {
  const pack = (sha256: string, origin: 'folder' | 'synthetic' = 'folder') => ({
    origin,
    recogniser: {
      sha256,
      path: '',
      bytes: 0,
      pinned: false,
      preprocessing: { mean: 0, std: 1 },
      inputSize: 112,
    },
  });
  const file = (curve: object) => ({
    ...withCurve([]),
    curve: { metric: 'similarity', interval: 'prediction', points: curve },
  });

  it('are those of the recogniser, in a form that thresholds.json takes', async () => {
    const [measured = ''] = W600K_MBF.recognisers;
    const figures = provisionalFor(pack(measured));
    expect(figures?.thresholds.length).toBe(12);
    for (const { source, people } of figures?.thresholds ?? []) {
      expect(source).toContain('LFW');
      expect(people).toBe(394);
    }
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'thresholds.json': JSON.stringify(file(figures?.curve ?? [])) });
    const { curve } = await readThresholds(folder, { origin: 'folder', embeddingSpace: SPACE });
    expect(curve).toEqual(figures?.curve);
  });

  it('are not those of another recogniser', () => {
    expect(
      provisionalFor(pack('4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43')),
    ).toBeUndefined();
    expect(provisionalFor(pack(W600K_MBF.recognisers[0] ?? '', 'synthetic'))).toBeUndefined();
  });
});
