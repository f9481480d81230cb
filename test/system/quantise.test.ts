import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runModelsCommand } from '../../src/cli/models/command.ts';
import { cosine } from '../support/numbers.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';
import { FACES, hasRealWeights, MODELS, photo } from '../support/shared.ts';
import { filesIn, temporaryFolder } from '../support/temporary-folder.ts';

/** Photographs of LFW with the pairs that they form. */
const PAIRS = 20;
const PHOTOGRAPH = 'lfw/';

/** A MODELS_DIR with the pack "m", and a folder that shows a few photographs where they are. */
async function setup(detector: string) {
  const folder = await temporaryFolder();
  const modelsDir = join(folder, 'models');
  mkdirSync(join(modelsDir, 'm'), { recursive: true });
  cpSync(join(MODELS, detector), join(modelsDir, 'm', 'detector.onnx'));
  cpSync(join(MODELS, 'buffalo_sc_dq/w600k_mbf.onnx'), join(modelsDir, 'm', 'recogniser.onnx'));
  const images = join(folder, 'images');
  mkdirSync(images);
  const [head, ...lines] = readFileSync(join(FACES, 'lfw/pairs.csv'), 'utf8').trim().split('\n');
  // The table has the pairs of one person first.
  const chosen = [...lines.slice(0, PAIRS / 2), ...lines.slice(-PAIRS / 2)];
  const names = new Set(chosen.flatMap((line) => line.trim().split(',').slice(0, 2)));
  for (const name of names) symlinkSync(join(FACES, PHOTOGRAPH, name), join(images, name));
  const pairs = join(folder, 'pairs.csv');
  writeFileSync(pairs, [head, ...chosen].join('\n'));
  const quantise = async (...args: string[]) => {
    let stdout = '';
    let stderr = '';
    const code = await runModelsCommand(['quantise', 'm', '--images', images, ...args], {
      environment: { MODELS_DIR: modelsDir },
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
    });
    return { code, stdout, stderr };
  };
  return { modelsDir, names: [...names], pairs, quantise };
}

/** The embedding that the built service gives for a photograph. */
async function embedWith(modelsDir: string, name: string, image: Uint8Array<ArrayBuffer>) {
  const service = new ServiceProcess({
    MODELS_DIR: modelsDir,
    MODEL_NAME: name,
    PREPARED_DIR: join(modelsDir, '.prepared'),
  });
  try {
    const address = await service.ready();
    const response = await fetch(`${address}/v1/embed?faces=largest`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/octet-stream' },
      body: image,
    });
    const answer = (await response.json()) as { embedding: number[]; model: { embedding_space: string } };
    return { embedding: answer.embedding, space: answer.model.embedding_space };
  } finally {
    service.kill('SIGTERM');
    await service.exit;
  }
}

describe.skipIf(!hasRealWeights)('models quantise with real weights', () => {
  it('installs a pack that the service serves from prepared graphs', async () => {
    const { modelsDir, names, pairs, quantise } = await setup('scrfd_2.5g/scrfd_2.5g_bnkps.onnx');
    const { code, stdout, stderr } = await quantise('--only', 'detector', '--accept', '--pairs', pairs);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('Measuring') });
    expect(stdout).toMatch(/missed \d+, extra \d+/);
    expect(stdout).toMatch(/Measured on \d+ genuine and \d+ impostor pairs:\n.*best accuracy/);
    expect(await filesIn(join(modelsDir, 'm-int8'))).toEqual([
      'MODEL.LICENSE',
      'detector.int8.onnx',
      'manifest.json',
      'recogniser.onnx',
    ]);
    const manifest = JSON.parse(readFileSync(join(modelsDir, 'm-int8/manifest.json'), 'utf8'));
    expect(manifest.provenance).toMatchObject({
      source: { pack: 'm' },
      quantised: ['detector'],
      weight_bits: expect.any(Number),
    });
    // Photographs and their names stay where they are.
    for (const name of names) expect(JSON.stringify(manifest)).not.toContain(name);

    const image = photo(`${PHOTOGRAPH}${names[0]}`);
    const float = await embedWith(modelsDir, 'm', image);
    const int8 = await embedWith(modelsDir, 'm-int8', image);
    expect(int8.space).toMatch(/^m-int8:/);
    expect(float.space).toMatch(/^m:/);
    expect(cosine(float.embedding, int8.embedding)).toBeGreaterThan(0.98);
    expect(cosine(float.embedding, int8.embedding)).toBeLessThan(1 - 1e-7);
    const prepared = await filesIn(join(modelsDir, '.prepared'));
    // Two detectors; the recogniser is the same file.
    expect(prepared.filter((file) => file.endsWith('graph.onnx'))).toHaveLength(3);
  });

  it('refuses the small pack, which is no faster, says the figures and writes nothing', async () => {
    const { modelsDir, quantise } = await setup('buffalo_sc_dq/det_500m.onnx');
    const before = await filesIn(modelsDir);
    const { code, stdout, stderr } = await quantise();
    expect(code).toBe(1);
    expect(stderr).toContain('Nothing was written, because a bound is missed');
    expect(stdout).toContain('times as fast, on one thread');
    expect(await filesIn(modelsDir)).toEqual(before);
  });
});
