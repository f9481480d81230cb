import { readFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writePackWithManifest } from '../../tools/generate-synthetic-pack.ts';
import type { describeSyntheticPack, SyntheticPackOptions } from '../../tools/synthetic/pack.ts';
import { cosine } from '../support/numbers.ts';
import { type DescribedPack, servePack, writeDescribedPack } from '../support/packs/described-packs.ts';
import { sha256 } from '../support/packs/tiny-packs.ts';
import { blobsPng } from '../support/pictures.ts';
import { temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

type Manifest = ReturnType<typeof describeSyntheticPack>;

/** The manifest with members of one task changed. */
const changing = (task: 'detection' | 'recognition', members: object) => (manifest: Manifest) => ({
  ...manifest,
  tasks: { ...manifest.tasks, [task]: { ...manifest.tasks[task], ...members } },
});

const serve = async (pack: DescribedPack = {}) => servePack(await writeDescribedPack(pack));

describe('the service with a pack that has a manifest', () => {
  it.each<[string, SyntheticPackOptions]>([
    ['an embedding of 128 numbers', { embeddingSize: 128 }],
    ['an embedding of 512 numbers', { embeddingSize: 512 }],
    ['graphs that normalise their input', { embeddingSize: 128, embedded: true }],
    ['an input of 128×128', { inputSize: 128 }],
  ])('serves %s', async (_, options) => {
    const { embeddingSize = 512, inputSize = 112 } = options;
    const { ready, get, embed } = await serve(options);
    expect(ready.status).toBe(200);
    const { status, body } = await embed(await blobsPng(1));
    expect(status).toBe(200);
    expect(body.embedding).toHaveLength(embeddingSize);
    expect(Math.hypot(...body.embedding)).toBeCloseTo(1, 5);
    const info = await get('/v1/model-info');
    expect(info.body).toMatchObject({
      name: 'own',
      embedding_size: embeddingSize,
      embedding_space: body.model.embedding_space,
      detector: { file: 'detector.onnx', pinned: true },
      recogniser: { file: 'recogniser.onnx', pinned: true, input_size: inputSize },
      synthetic: false,
      thresholds: [],
    });
    expect(info.body.licence).toBe(
      "Synthetic pack, under this project's own licence (MODEL.LICENSE in the folder of the pack)",
    );
  });

  it('gives the same embedding whether the graphs or the service normalise the input', async () => {
    const picture = await blobsPng(2);
    const answers = await Promise.all(
      [false, true].map(async (embedded) => (await serve({ embedded })).embed(picture.slice())),
    );
    const [plain, embedded] = answers.map(({ body }) => body);
    expect(cosine(plain.embedding, embedded.embedding)).toBeGreaterThan(0.99999);
    expect(embedded.bbox.width).toBeCloseTo(plain.bbox.width, 3);
  });

  it('uses the preprocessing of the manifest, which changes the embedding space if it is not the standard one', async () => {
    const picture = await blobsPng(2);
    const spaces = await Promise.all(
      [{}, { preprocessing: { mean: 127.5, std: 127.5 } }, { preprocessing: { mean: 0, std: 255 } }].map(
        async (members) => {
          const { embed } = await serve({ manifest: changing('recognition', members) });
          const { model, embedding } = (await embed(picture.slice())).body;
          return { space: model.embedding_space as string, embedding: embedding as number[] };
        },
      ),
    );
    const [implicit, explicit, other] = spaces as [
      (typeof spaces)[0],
      (typeof spaces)[0],
      (typeof spaces)[0],
    ];
    expect(explicit).toEqual(implicit);
    expect(other.space).not.toBe(explicit.space);
    expect(cosine(other.embedding, explicit.embedding)).toBeLessThan(0.9);
  });

  it('says that the licence is missing', async () => {
    const { get, ready } = await serve({ files: { 'MODEL.LICENSE': undefined } });
    expect(ready.status).toBe(200);
    const { licence } = (await get('/v1/model-info')).body;
    expect(licence).toBe(
      'Unknown: manifest.json names MODEL.LICENSE, which is not in the folder of the pack.',
    );
  });
});

describe('the service does not load a pack with a manifest that has', () => {
  const zeros = '0'.repeat(64);
  it.each<[string, DescribedPack, string[]]>([
    [
      'another hash of the detector',
      { manifest: changing('detection', { sha256: zeros }) },
      ['detector.onnx', zeros],
    ],
    [
      'another hash of the recogniser',
      { manifest: changing('recognition', { sha256: zeros }) },
      ['recogniser.onnx', zeros],
    ],
    [
      'a path with ..',
      { manifest: changing('recognition', { file: '../recogniser.onnx' }) },
      ['tasks.recognition.file must be a relative path inside the pack'],
    ],
    [
      'an absolute path',
      { manifest: changing('detection', { file: '/models/detector.onnx' }) },
      ['tasks.detection.file must be a relative path inside the pack'],
    ],
    [
      'two malformed members',
      { manifest: changing('recognition', { embedding_dimension: '512', sha256: 'ABC' }) },
      ['tasks.recognition.embedding_dimension', 'tasks.recognition.sha256'],
    ],
    ['no licence', { manifest: ({ license: _, ...rest }) => rest }, ['license']],
    [
      'another embedding dimension than the graph',
      { embeddingSize: 128, manifest: changing('recognition', { embedding_dimension: 512 }) },
      ['gives 128 numbers', 'tasks.recognition.embedding_dimension says 512'],
    ],
    [
      'another input size than the graph',
      { manifest: changing('recognition', { input_size: [128, 128] }) },
      ['takes 112×112', 'tasks.recognition.input_size says 128×128'],
    ],
  ])('%s', async (_, pack, parts) => {
    const { ready, embed, get, errors } = await serve(pack);
    expect(ready.status).toBe(503);
    expect(ready.body.error_code).toBe('MODEL_NOT_LOADED');
    expect(ready.body.detail).toMatch(
      /^The model (pack is not valid|could not be loaded); the log says why\.$/,
    );
    for (const part of parts) expect(errors[0]).toContain(part);
    expect((await embed(await blobsPng(1))).body.error_code).toBe('MODEL_NOT_LOADED');
    expect((await get('/v1/model-info')).status).toBe(503);
  });

  it('a licence that is a link out of the pack', async () => {
    const modelsDir = await writeDescribedPack({ files: { 'MODEL.LICENSE': undefined } });
    await writeFiles(modelsDir, { secret: 'not for callers' });
    await symlink(join(modelsDir, 'secret'), join(modelsDir, 'own', 'MODEL.LICENSE'));
    const { errors } = await servePack(modelsDir);
    expect(errors[0]).toMatch(/license names MODEL\.LICENSE, which is a link out of the pack/);
  });
});

it('tools/generate-synthetic-pack.ts writes a pack that the service can load', async () => {
  const folder = await temporaryFolder();
  writePackWithManifest(join(folder, 'own'), { embeddingSize: 128, embedded: true });
  const read = (name: string) => readFileSync(join(folder, 'own', name));
  const { recognition } = JSON.parse(read('manifest.json').toString()).tasks;
  expect(recognition).toMatchObject({
    sha256: sha256(read('recogniser.onnx')),
    preprocessing: 'embedded',
    embedding_dimension: 128,
  });
  const { embed } = await servePack(folder);
  expect((await embed(await blobsPng(3))).body.embedding).toHaveLength(128);
});
