import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { readLivenessCalibration } from '../../src/packs/liveness/calibration-file.ts';
import { LIVENESS_CATALOGUE, type LivenessCatalogue } from '../../src/packs/liveness/catalogue.ts';
import { assertLivenessReady, setUpLiveness } from '../../src/packs/liveness/setup.ts';
import { type LivenessWeights, resolveLiveness } from '../../src/packs/liveness/weights.ts';
import { PackInvalidError, PackMissingError } from '../../src/packs/pack-errors.ts';
import { silentLog } from '../support/engine/engines.ts';
import { livenessNetwork } from '../support/packs/liveness-networks.ts';
import { type GraphShape, onnxFile } from '../support/packs/tiny-packs.ts';
import { temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

const sha256 = (content: Uint8Array | string) => createHash('sha256').update(content).digest('hex');

const addOn = livenessNetwork('insightface');
const [v2, v1Se, facenox] = (['minifasnetV2', 'minifasnetV1Se', 'facenox'] as const).map(livenessNetwork) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

let modelsDir: string;
beforeEach(async () => {
  modelsDir = await temporaryFolder();
  await writeFiles(modelsDir, {
    'pair/b.onnx': v2,
    'pair/a.onnx': v1Se,
    'pair/README': 'not a network',
    'all/a.onnx': v2,
    'all/b.onnx': facenox,
    'facenox.onnx': facenox,
    'own.onnx': addOn,
  });
});
const resolve = (model: string, catalogue?: LivenessCatalogue) =>
  resolveLiveness({ model, modelsDir, ...(catalogue && { catalogue }) });

describe('LIVENESS_MODEL', () => {
  it.each([
    ['own.onnx', 'insightface', [undefined]],
    ['facenox.onnx', 'facenox', [1.5]],
    ['pair/a.onnx', 'minifasnet', [4]],
    ['pair/a.onnx, pair/b.onnx', 'minifasnet', [2.7, 4]],
    ['pair', 'minifasnet', [2.7, 4]],
  ])('%s is %s with crops of %j boxes, told by the graphs', async (model, family, boxes) => {
    const weights = await resolve(model);
    expect(weights.family).toBe(family);
    expect(weights.files.map((file) => file.boxes)).toEqual(boxes);
    expect(weights.files.every(({ pinned }) => !pinned)).toBe(true);
  });

  it('gives the same name to the same files in any order, and that of the hash to a single one', async () => {
    const { model } = await resolve('pair');
    expect(model).toBe(`minifasnet:${sha256(`${sha256(v2)} ${sha256(v1Se)}`).slice(0, 12)}`);
    expect((await resolve('pair/b.onnx,pair/a.onnx')).model).toBe(model);
    expect((await resolve('facenox.onnx')).model).toBe(`facenox:${sha256(facenox).slice(0, 12)}`);
  });

  it('finds a network of the catalogue in its folder, and refuses another hash', async () => {
    const file = { name: 'liveness.onnx', bytes: addOn.length, sha256: sha256(addOn) };
    const known: LivenessCatalogue = new Map([
      [
        'known',
        {
          name: 'known',
          family: 'insightface',
          licence: 'For tests only.',
          commercialUse: 'unknown',
          file,
          sources: ['https://example.org/x'],
        },
      ],
    ]);
    await expect(resolve('known', known)).rejects.toThrow(PackMissingError);
    await expect(resolve('known', known)).rejects.toThrow('known is published at https://example.org/x.');
    await writeFiles(modelsDir, { 'known/liveness.onnx': addOn });
    const weights = await resolve('known', known);
    expect(weights).toMatchObject({
      licence: 'For tests only.',
      files: [{ pinned: true, bytes: file.bytes, sha256: file.sha256 }],
    });
    await writeFiles(modelsDir, { 'known/liveness.onnx': facenox });
    await expect(resolve('known', known)).rejects.toThrow(/SHA-256 [0-9a-f]{64}, expected is/);
  });

  it.each<[string, string, typeof PackInvalidError | typeof PackMissingError]>([
    ['none.onnx', 'There is no file', PackMissingError],
    ['all', 'names b.onnx (facenox, 1.5), a.onnx (minifasnet, 2.7).', PackInvalidError],
    ['pair/a.onnx,pair/a.onnx', 'names a.onnx (minifasnet, 4), a.onnx (minifasnet, 4).', PackInvalidError],
    ['pair/README', 'README is not a liveness network that this service knows', PackInvalidError],
  ])('%s is refused: %s', async (model, sentence, kind) => {
    await expect(resolve(model)).rejects.toThrow(kind);
    await expect(resolve(model)).rejects.toThrow(sentence);
  });

  it.each<[string, GraphShape]>([
    ['a recogniser', { input: ['n', 3, 112, 112], outputs: [['n', 512]] }],
    ['two classes of 80 pixels', { input: ['n', 3, 80, 80], outputs: [['n', 2]] }],
    ['two outputs', { input: ['n', 3, 80, 80], outputs: [['n', 3], ['n']] }],
    ['one channel', { input: ['n', 1, 80, 80], outputs: [['n', 3]] }],
  ])('is no liveness network if it is %s', async (_name, shape) => {
    await writeFiles(modelsDir, { 'other.onnx': onnxFile(shape) });
    await expect(resolve('other.onnx')).rejects.toThrow(
      /^other.onnx is not a liveness network .* its input is \[/,
    );
  });
});

it('pins the add-on of InsightFace', () => {
  const { file, sources } = LIVENESS_CATALOGUE.get('insightface-liveness') ?? {};
  expect(file).toMatchObject({ name: 'liveness.onnx', sha256: expect.stringMatching(/^87a9ac1dbb16/) });
  expect(sources?.every((source) => new URL(source).protocol === 'https:')).toBe(true);
});

const calibrationOf = ({ model, files }: Pick<LivenessWeights, 'model' | 'files'>) => ({
  liveness_version: 1,
  model,
  files: files.map((file) => file.sha256),
  created: '2026-01-01T00:00:00.000Z',
  source: 'test',
  live_pictures: 100,
  spoof_pictures: 100,
  target: { error: 'apcer', rate: 0.05, evidence: 'rule_of_3' },
  threshold: 0.7,
  apcer: 0.04,
  apcer_interval: [0.01, 0.1],
  bpcer: 0.02,
  bpcer_interval: [0.005, 0.07],
  acer: 0.03,
  acer_interval: [0.01, 0.06],
});

describe('liveness.json', () => {
  const settings = {
    LIVENESS: 'require',
    LIVENESS_MODEL: 'own.onnx',
    LIVENESS_THRESHOLD: undefined,
    MODEL_NAME: 'pack',
    MODEL_AUTO_DOWNLOAD: false,
    MODEL_BASE_URL: '',
  } as const;
  const write = (value: unknown) =>
    writeFiles(modelsDir, {
      'pack/liveness.json': typeof value === 'string' ? value : JSON.stringify(value),
    });
  const setUp = (
    changed: Partial<Omit<typeof settings, 'LIVENESS_THRESHOLD'>> & { LIVENESS_THRESHOLD?: number } = {},
  ) => setUpLiveness({ ...settings, MODELS_DIR: modelsDir, ...changed }, { log: silentLog });

  it('gives the threshold, unless the settings do', async () => {
    const calibration = calibrationOf(await resolve('own.onnx'));
    await write(calibration);
    expect(await setUp()).toMatchObject({ threshold: 0.7, calibration });
    expect(await setUp({ LIVENESS_THRESHOLD: 0.9 })).toMatchObject({ threshold: 0.9, calibration });
    await assertLivenessReady({ ...settings, MODELS_DIR: modelsDir });
  });

  it('is ignored with a warning if it is of another model', async () => {
    await write(calibrationOf(await resolve('facenox.onnx')));
    const { threshold, warning } = (await setUp()) ?? {};
    expect(threshold).toBeUndefined();
    expect(warning).toMatch(/liveness.json is ignored: it is of the liveness model facenox:/);
    await expect(assertLivenessReady({ ...settings, MODELS_DIR: modelsDir })).rejects.toThrow(
      /^LIVENESS is require, and nothing says from which score a face is live\. .* is ignored/,
    );
  });

  it.each([
    ['not JSON', '{', 'is not JSON'],
    ['without a threshold', { threshold: undefined }, 'threshold'],
    ['with a threshold that calls every face live', { threshold: 0 }, 'threshold must be above 0'],
    ['with a rate above 1', { apcer: 1.5 }, 'apcer'],
    [
      'with an interval that is reversed',
      { bpcer_interval: [0.2, 0.1] },
      'bpcer_interval must have the lower end',
    ],
    ['of another version', { liveness_version: 2 }, 'liveness_version must be 1'],
  ])('stops the start if it is %s', async (_name, change, sentence) => {
    const weights = await resolve('own.onnx');
    await write(typeof change === 'string' ? change : { ...calibrationOf(weights), ...change });
    const folder = `${modelsDir}/pack`;
    await expect(readLivenessCalibration(folder, weights)).rejects.toThrow(PackInvalidError);
    await expect(readLivenessCalibration(folder, weights)).rejects.toThrow(sentence);
    await expect(assertLivenessReady({ ...settings, MODELS_DIR: modelsDir })).rejects.toThrow(sentence);
  });

  it('is not needed without a model, nor to report', async () => {
    expect(await setUp({ LIVENESS_MODEL: '' as never })).toBeUndefined();
    await assertLivenessReady({ ...settings, LIVENESS: 'report', MODELS_DIR: modelsDir });
  });
});
