import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StartupError } from '../../src/errors.ts';
import { CATALOGUE } from '../../src/packs/catalogue.ts';
import { PackInvalidError, PackMissingError } from '../../src/packs/pack-errors.ts';
import { assertKnownPack } from '../../src/packs/pack-folders.ts';
import { resolvePack } from '../../src/packs/resolve.ts';
import {
  bytesOf,
  DETECTOR_SHAPE,
  type GraphShape,
  onnxFile,
  RECOGNISER_SHAPE,
  sha256,
  TINY,
  tinyPack,
  YUNET_SHAPE,
} from '../support/packs/tiny-packs.ts';
import { hasRealWeights, MODELS } from '../support/shared.ts';
import { temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

const DETECTOR = onnxFile(DETECTOR_SHAPE);
const RECOGNISER = onnxFile(RECOGNISER_SHAPE);

/** A MODELS_DIR with one pack folder called "own". */
async function ownPack(files: Record<string, string | Uint8Array>) {
  const modelsDir = await temporaryFolder();
  await writeFiles(join(modelsDir, 'own'), files);
  return { name: 'own', modelsDir };
}

describe('a pack of the catalogue', () => {
  it('is verified against its hashes', async () => {
    const { catalogue, files, pack } = tinyPack();
    const modelsDir = await temporaryFolder();
    await writeFiles(join(modelsDir, TINY), files);
    const resolved = await resolvePack({ name: TINY, modelsDir, catalogue });
    expect(resolved).toMatchObject({
      name: TINY,
      origin: 'catalogue',
      licence: 'For tests only.',
      embeddingSpace: `tiny:${pack.recogniser.sha256.slice(0, 12)}`,
      detector: { bytes: 20_000, pinned: true, preprocessing: { mean: 127.5, std: 128 } },
      recogniser: { path: join(modelsDir, TINY, 'rec.onnx'), pinned: true, inputSize: 112 },
    });
  });

  it('is missing, not invalid, if a file does not exist', async () => {
    const { catalogue, files } = tinyPack();
    const modelsDir = await temporaryFolder();
    await expect(resolvePack({ name: TINY, modelsDir, catalogue })).rejects.toThrow(PackMissingError);
    await writeFiles(join(modelsDir, TINY), { 'det.onnx': files['det.onnx'] ?? '' });
    const failure = resolvePack({ name: TINY, modelsDir, catalogue });
    await expect(failure).rejects.toThrow(PackMissingError);
    await expect(failure).rejects.toThrow('rec.onnx');
  });

  it('is invalid if a file has another hash; the message names the file and both hashes', async () => {
    const { catalogue, files, pack } = tinyPack();
    const modelsDir = await temporaryFolder();
    const other = bytesOf('something else', 60_000);
    await writeFiles(join(modelsDir, TINY), { ...files, 'rec.onnx': other });
    const failure = resolvePack({ name: TINY, modelsDir, catalogue });
    await expect(failure).rejects.toThrow(PackInvalidError);
    for (const part of [join(modelsDir, TINY, 'rec.onnx'), sha256(other), pack.recogniser.sha256]) {
      await expect(failure).rejects.toThrow(part);
    }
  });

  it('is not resolved after the signal was aborted', async () => {
    const { catalogue, files } = tinyPack();
    const modelsDir = await temporaryFolder();
    await writeFiles(join(modelsDir, TINY), files);
    const signal = AbortSignal.abort(new Error('draining'));
    await expect(resolvePack({ name: TINY, modelsDir, catalogue, signal })).rejects.toThrow('draining');
  });
});

describe('a folder without a manifest', () => {
  it('is resolved by the graphs of its files, whatever their names', async () => {
    const others: Record<string, GraphShape> = {
      '1k3d68.onnx': { input: ['N', 3, 192, 192], outputs: [['N', 3309]] },
      '2d106det.onnx': { input: ['N', 3, 192, 192], outputs: [['N', 212]] },
      'genderage.onnx': { input: ['N', 3, 96, 96], outputs: [['N', 3]] },
      'mask.onnx': { input: ['N', 3, 112, 112], outputs: [['N', 2]] },
      'map.onnx': { input: ['N', 3, 112, 112], outputs: [['N', 512, 7, 7]] },
    };
    const files = Object.entries(others).map(([name, shape]) => [name, onnxFile(shape)]);
    const place = await ownPack({
      ...Object.fromEntries(files),
      'a.onnx': RECOGNISER,
      'b.onnx': DETECTOR,
      'broken.onnx': 'no graph at all',
      'manifest.json': '{"manifest_version": 1}',
    });
    const pack = await resolvePack(place);
    expect(pack).toMatchObject({
      origin: 'folder',
      embeddingSpace: `own:${sha256(RECOGNISER).slice(0, 12)}`,
      detector: { path: join(place.modelsDir, 'own', 'b.onnx'), sha256: sha256(DETECTOR), pinned: false },
      recogniser: { path: join(place.modelsDir, 'own', 'a.onnx'), pinned: false, inputSize: 112 },
    });
    expect(pack.recogniser.preprocessing).toEqual({ mean: 127.5, std: 127.5 });
  });

  it('may have a detector of another family, which is part of the embedding space', async () => {
    const files = { 'd.onnx': DETECTOR, 'r.onnx': RECOGNISER };
    const scrfd = await resolvePack(await ownPack(files));
    const yunet = await resolvePack(await ownPack({ ...files, 'd.onnx': onnxFile(YUNET_SHAPE) }));
    expect([scrfd.detector.family, yunet.detector.family]).toEqual(['scrfd', 'yunet']);
    expect(yunet.detector.preprocessing).toEqual({ mean: 0, std: 1 });
    expect(yunet.embeddingSpace).toMatch(/^own:[0-9a-f]{12}$/);
    expect(yunet.embeddingSpace).not.toBe(scrfd.embeddingSpace);
  });

  it('may not have twelve outputs of something else than YuNet as its detector', async () => {
    const other = onnxFile({ ...YUNET_SHAPE, outputNames: [] });
    await expect(resolvePack(await ownPack({ 'd.onnx': other, 'r.onnx': RECOGNISER }))).rejects.toThrow(
      /no detector/,
    );
  });

  it('is invalid with a recogniser whose graph does not say how faces are aligned; the message shows what a manifest would say', async () => {
    const wide = onnxFile({ input: [1, 3, 128, 128], outputs: [[1, 256, 1, 1]] });
    const failure = resolvePack(await ownPack({ 'd.onnx': DETECTOR, 'wide.onnx': wide }));
    await expect(failure).rejects.toThrow(PackInvalidError);
    for (const part of [
      'wide.onnx',
      'manifest.json',
      '"input_size": [128, 128]',
      '"alignment"',
      '"channel_order"',
    ])
      await expect(failure).rejects.toThrow(part);
  });

  it('may have a recogniser without a stated output shape', async () => {
    const recogniser = onnxFile({ ...RECOGNISER_SHAPE, outputs: [undefined] });
    const pack = await resolvePack(await ownPack({ 'd.onnx': DETECTOR, 'r.onnx': recogniser }));
    expect(pack.recogniser.sha256).toBe(sha256(recogniser));
  });

  it.each([
    [['Sub', 'Mul', 'Conv'], { mean: 0, std: 1 }],
    [['Sub', 'Conv', 'Conv'], { mean: 127.5, std: 127.5 }],
    [['Sub', ...Array(7).fill('Conv'), 'Mul'], { mean: 127.5, std: 127.5 }],
  ])(
    'has a recogniser without preprocessing if its first eight nodes normalise the input: %j',
    async (operators, expected) => {
      const recogniser = onnxFile({ ...RECOGNISER_SHAPE, operators });
      const pack = await resolvePack(await ownPack({ 'd.onnx': DETECTOR, 'r.onnx': recogniser }));
      expect(pack.recogniser.preprocessing).toEqual(expected);
    },
  );

  it('is invalid if two files could be the recogniser; the message names both', async () => {
    const failure = resolvePack(
      await ownPack({ 'd.onnx': DETECTOR, 'one.onnx': RECOGNISER, 'two.onnx': RECOGNISER }),
    );
    await expect(failure).rejects.toThrow(PackInvalidError);
    await expect(failure).rejects.toThrow(/one\.onnx and two\.onnx.*manifest\.json/);
  });

  it('is invalid without a detector; the message names the files', async () => {
    const failure = resolvePack(await ownPack({ 'r.onnx': RECOGNISER, 'x.onnx': 'text' }));
    await expect(failure).rejects.toThrow(/no detector.*r\.onnx, x\.onnx.*Not understood: x\.onnx/);
  });

  it('is missing if it does not exist', async () => {
    await expect(resolvePack({ name: 'own', modelsDir: await temporaryFolder() })).rejects.toThrow(
      PackMissingError,
    );
  });
});

describe('a folder with a version-2 manifest', () => {
  const manifest = (tasks: { detection?: object; recognition?: object } = {}) =>
    JSON.stringify({
      manifest_version: 2,
      model_id: 'raccoon_s',
      license: 'MODEL.LICENSE',
      tasks: {
        detection: { file: 'nets/det.onnx', ...tasks.detection },
        recognition: { file: 'rec.onnx', ...tasks.recognition },
      },
    });
  const files = { 'nets/det.onnx': 'detector', 'rec.onnx': 'recogniser' };

  it('is resolved by the manifest and verified against its hashes', async () => {
    const pin = sha256(Buffer.from('recogniser'));
    const recognition = { sha256: pin, preprocessing: 'embedded', embedding_dimension: 256 };
    const pack = await resolvePack(await ownPack({ ...files, 'manifest.json': manifest({ recognition }) }));
    expect(pack).toMatchObject({
      name: 'own',
      origin: 'manifest',
      detector: { pinned: false, preprocessing: { mean: 127.5, std: 128 } },
      recogniser: { pinned: true, preprocessing: { mean: 0, std: 1 }, inputSize: 112, embeddingSize: 256 },
    });
    expect(pack.licence).toContain('MODEL.LICENSE');
  });

  it.each([
    [{ weight_bits: 8 }, 8],
    [{ weight_bits: 'eight' }, undefined],
    ['somebody else', undefined],
    [undefined, undefined],
  ])('says how many bits its weights have, if its provenance %j says it', async (provenance, expected) => {
    const text = JSON.stringify({ ...JSON.parse(manifest()), provenance });
    const { weightBits } = await resolvePack(await ownPack({ ...files, 'manifest.json': text }));
    expect(weightBits).toBe(expected);
  });

  it('has the family of detectors that its graph shows if the manifest does not say it', async () => {
    const yunet = { ...files, 'nets/det.onnx': onnxFile(YUNET_SHAPE), 'manifest.json': manifest() };
    const { detector } = await resolvePack(await ownPack(yunet));
    expect(detector).toMatchObject({ family: 'yunet', preprocessing: { mean: 0, std: 1 } });
    const said = { ...yunet, 'manifest.json': manifest({ detection: { family: 'scrfd' } }) };
    expect((await resolvePack(await ownPack(said))).detector).toMatchObject({
      family: 'scrfd',
      preprocessing: { mean: 127.5, std: 128 },
    });
  });

  it('has an embedding space of its own for everything that changes what the recogniser sees', async () => {
    const alignment = [
      [30, 40],
      [70, 40],
      [50, 60],
      [35, 80],
      [65, 80],
    ];
    const spaces = await Promise.all(
      [
        {},
        { recognition: { channel_order: 'rgb' }, detection: { family: 'scrfd' } },
        { recognition: { channel_order: 'bgr' } },
        { recognition: { alignment } },
        { recognition: { alignment: alignment.map(([x = 0, y = 0]) => [x + 5, y]) } },
        { recognition: { input_size: [224, 224] } },
        { recognition: { preprocessing: 'embedded' } },
        { detection: { family: 'yunet' } },
      ].map(async (tasks) => {
        const pack = await resolvePack(await ownPack({ ...files, 'manifest.json': manifest(tasks) }));
        return pack.embeddingSpace;
      }),
    );
    const [standard, said, ...others] = spaces;
    expect(standard).toBe(`own:${sha256(Buffer.from('recogniser')).slice(0, 12)}`);
    expect(said).toBe(standard);
    expect(new Set([standard, ...others]).size).toBe(1 + others.length);
    // Spaces that were named before the other members existed keep their names.
    const embedded = sha256(Buffer.from(`${sha256(Buffer.from('recogniser'))} 112 0 1`));
    expect(others).toContain(`own:${embedded.slice(0, 12)}`);
  });

  it('is invalid if a file has another hash', async () => {
    const text = manifest({ recognition: { sha256: '00'.repeat(32) } });
    const failure = resolvePack(await ownPack({ ...files, 'manifest.json': text }));
    await expect(failure).rejects.toThrow(PackInvalidError);
    await expect(failure).rejects.toThrow(sha256(Buffer.from('recogniser')));
  });

  it('is invalid if a file does not exist; the message names the member', async () => {
    const failure = resolvePack(await ownPack({ 'rec.onnx': 'recogniser', 'manifest.json': manifest() }));
    await expect(failure).rejects.toThrow(/tasks\.detection\.file names nets\/det\.onnx/);
  });

  it('is invalid if a link leads out of the folder; the message names the member', async () => {
    const place = await ownPack({ 'nets/det.onnx': 'detector', 'manifest.json': manifest() });
    await writeFiles(place.modelsDir, { 'outside.onnx': 'recogniser' });
    await symlink(join(place.modelsDir, 'outside.onnx'), join(place.modelsDir, 'own', 'rec.onnx'));
    await expect(resolvePack(place)).rejects.toThrow(/tasks\.recognition\.file.*link out of the pack/);
  });
});

describe('the synthetic pack', () => {
  it('is part of the project and says that it recognises nobody', async () => {
    const pack = await resolvePack({ name: 'synthetic', modelsDir: await temporaryFolder() });
    expect(pack).toMatchObject({
      origin: 'synthetic',
      detector: { preprocessing: { mean: 127.5, std: 128 } },
      recogniser: { preprocessing: { mean: 127.5, std: 127.5 }, inputSize: 112 },
    });
    expect(pack.licence).toContain('recognises nobody');
    expect(pack.embeddingSpace).toMatch(/^synthetic:[0-9a-f]{12}$/);
    const modelsDir = await temporaryFolder();
    const ignoring = await resolvePack({ name: 'synthetic', modelsDir, colourProfiles: 'ignore' });
    expect(ignoring.embeddingSpace).toBe(pack.embeddingSpace);
    // Other colours give other embeddings.
    const honouring = await resolvePack({ name: 'synthetic', modelsDir, colourProfiles: 'honour' });
    expect(honouring.embeddingSpace).toBe(`${pack.embeddingSpace}:icc`);
  });
});

describe('MODEL_NAME', () => {
  it('may be a pack of the catalogue, synthetic, or a folder in MODELS_DIR', async () => {
    const { modelsDir } = await ownPack({ 'x.onnx': 'x' });
    for (const name of ['buffalo_l', 'synthetic', 'own']) await assertKnownPack(name, modelsDir);
  });

  it('is rejected otherwise; the message names the accepted values', async () => {
    const { modelsDir } = await ownPack({ 'x.onnx': 'x' });
    await writeFiles(modelsDir, { 'a-file': 'no folder', '.hidden/x.onnx': 'x' });
    const failure = assertKnownPack('bufalo_l', modelsDir);
    await expect(failure).rejects.toThrow(StartupError);
    await expect(failure).rejects.toThrow(
      /^MODEL_NAME is "bufalo_l"; accepted is buffalo_l, .*synthetic.* has own\.$/,
    );
    await expect(assertKnownPack('toString', join(modelsDir, 'nowhere'))).rejects.toThrow(StartupError);
  });
});

describe.skipIf(!hasRealWeights)('the shared real weights', () => {
  it('are resolved by their files', async () => {
    const pack = await resolvePack({ name: 'buffalo_sc_dq', modelsDir: MODELS });
    expect(pack).toMatchObject({
      origin: 'folder',
      detector: { path: join(MODELS, 'buffalo_sc_dq', 'det_500m.onnx'), pinned: false },
      recogniser: { preprocessing: { mean: 127.5, std: 127.5 }, bytes: 13_612_966 },
    });
    expect(pack.detector.sha256).toBe(CATALOGUE.get('buffalo_sc')?.detector.sha256);
    expect(pack.detector.bytes).toBe(CATALOGUE.get('buffalo_sc')?.detector.bytes);
  });
});
