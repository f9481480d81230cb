import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolvePack } from '../../src/packs/resolve.ts';
import { generateSyntheticPack } from '../../tools/synthetic/pack.ts';
import { servePack } from '../support/packs/described-packs.ts';
import { rfbBoxes, rfbLandmarks } from '../support/packs/rfb-networks.ts';
import { sha256 } from '../support/packs/tiny-packs.ts';
import { blobsPng } from '../support/pictures.ts';
import { filesIn, temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

/** Points with two eyes, a nose and a mouth somewhere. */
const POINTS = Array.from({ length: 136 }, (_, i) =>
  i % 2 === 0 ? 0.3 + 0.4 * Math.sin(i) ** 2 : 0.2 + (0.6 * i) / 136,
);
const FILES = {
  'boxes.onnx': rfbBoxes([{ share: 0.99, box: [0.3, 0.3, 0.6, 0.7] }]),
  'points.onnx': rfbLandmarks(POINTS),
  'recogniser.onnx': generateSyntheticPack({}).recogniser,
};

/** @param landmarks the member of the manifest. */
const manifestWith = (landmarks?: object) =>
  JSON.stringify({
    manifest_version: 2,
    model_id: 'own',
    license: 'MODEL.LICENSE',
    tasks: {
      detection: { family: 'rfb', file: 'boxes.onnx', landmarks },
      recognition: { file: 'recogniser.onnx' },
    },
  });

/** @returns MODELS_DIR with a pack called "own". */
async function writePack(files: Record<string, string | Uint8Array>): Promise<string> {
  const modelsDir = await temporaryFolder();
  await writeFiles(join(modelsDir, 'own'), files);
  return modelsDir;
}

describe('a pack whose landmarks come from a second network', () => {
  it('is served, with all three networks prepared', async () => {
    const landmarks = { file: 'points.onnx', sha256: sha256(FILES['points.onnx']) };
    const modelsDir = await writePack({ ...FILES, 'manifest.json': manifestWith(landmarks) });
    const prepared = join(modelsDir, '.prepared');
    const { ready, get, embed } = await servePack(modelsDir, 'own', { PREPARED_DIR: prepared });
    expect(ready.status).toBe(200);
    expect((await get('/v1/model-info')).body.detector).toMatchObject({
      file: 'boxes.onnx',
      family: 'rfb',
      pinned: false,
      input_sizes: [320],
      landmarks: { file: 'points.onnx', sha256: landmarks.sha256, pinned: true, rewrites: [] },
    });
    const { status, body } = await embed(await blobsPng(1), 'faces=largest&detection=fast&orientation=auto');
    expect(status).toBe(200);
    expect(body.embedding).toHaveLength(512);
    const folders = new Set((await filesIn(prepared)).map((file) => file.split('/')[0]));
    for (const file of Object.values(FILES))
      expect([...folders].filter((name) => name?.startsWith(sha256(file).slice(0, 16)))).toHaveLength(1);
  });

  it('is recognised by its graphs without a manifest', async () => {
    const pack = await resolvePack({ name: 'own', modelsDir: await writePack(FILES) });
    expect(pack.detector).toMatchObject({
      family: 'rfb',
      sha256: sha256(FILES['boxes.onnx']),
      preprocessing: { mean: 127, std: 128 },
      landmarks: { sha256: sha256(FILES['points.onnx']), preprocessing: { mean: 0, std: 256 } },
    });
    expect(pack.recogniser.sha256).toBe(sha256(FILES['recogniser.onnx']));
  });

  it('is invalid without it; the message says what is missing', async () => {
    const described = await writePack({ ...FILES, 'manifest.json': manifestWith() });
    await expect(resolvePack({ name: 'own', modelsDir: described })).rejects.toThrow(
      'tasks.detection.landmarks is missing',
    );
    const { 'points.onnx': _, ...others } = FILES;
    await expect(resolvePack({ name: 'own', modelsDir: await writePack(others) })).rejects.toThrow(
      'no network for landmarks',
    );
  });

  it('is invalid if it has another hash than the manifest says', async () => {
    const landmarks = { file: 'points.onnx', sha256: 'a'.repeat(64) };
    const modelsDir = await writePack({ ...FILES, 'manifest.json': manifestWith(landmarks) });
    await expect(resolvePack({ name: 'own', modelsDir })).rejects.toThrow(/points\.onnx .* expected is aaaa/);
  });

  it('is not loaded with another network in its place', async () => {
    const files = { ...FILES, 'points.onnx': rfbLandmarks(POINTS.slice(0, 10)) };
    const manifest = manifestWith({ file: 'points.onnx' });
    const modelsDir = await writePack({ ...files, 'manifest.json': manifest });
    const { ready, errors } = await servePack(modelsDir);
    expect(ready.status).toBe(503);
    expect(errors.join()).toContain('68 points');
  });
});
