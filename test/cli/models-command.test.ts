import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { runModelsCommand } from '../../src/cli/models/command.ts';
import { CATALOGUE } from '../../src/packs/catalogue.ts';
import { startFileServer } from '../support/packs/file-server.ts';
import { withoutProxies } from '../support/packs/published-pack.ts';
import {
  bytesOf,
  DETECTOR_SHAPE,
  onnxFile,
  RECOGNISER_SHAPE,
  TINY,
  tinyPack,
} from '../support/packs/tiny-packs.ts';
import { zipOf } from '../support/packs/zip.ts';
import { hasRealWeights, MODELS, ROOT } from '../support/shared.ts';
import { filesIn, temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

const SHARED_PACK = join(MODELS, 'buffalo_sc_dq');

const OWN_FILES = { 'a.onnx': onnxFile(DETECTOR_SHAPE), 'b.onnx': onnxFile(RECOGNISER_SHAPE) };

const MANIFEST = JSON.stringify({
  manifest_version: 2,
  model_id: 'own',
  license: 'legal/MODEL.LICENSE',
  tasks: { detection: { file: 'nets/a.onnx' }, recognition: { file: 'nets/b.onnx' } },
});

const MANIFEST_FILES = {
  'manifest.json': MANIFEST,
  'legal/MODEL.LICENSE': 'as you like',
  'nets/a.onnx': OWN_FILES['a.onnx'],
  'nets/b.onnx': OWN_FILES['b.onnx'],
};

beforeEach(withoutProxies);

/** Runs the command with a catalogue of one tiny pack and an empty MODELS_DIR. */
async function setup() {
  const folder = await temporaryFolder();
  const modelsDir = join(folder, 'models');
  const tiny = tinyPack();
  const models = async (command: string, environment: Record<string, string> = {}) => {
    let stdout = '';
    let stderr = '';
    const code = await runModelsCommand(command.split(' ').filter(Boolean), {
      environment: { MODELS_DIR: modelsDir, PREPARED_DIR: 'none', ...environment },
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
      catalogue: tiny.catalogue,
    });
    return { code, stdout, stderr };
  };
  return { folder, modelsDir, tiny, models };
}

describe('models list', () => {
  it('shows which packs are missing, installed, wrong and unpinned', async () => {
    const { models, modelsDir, tiny } = await setup();
    expect((await models('list')).stdout).toMatch(
      /tiny +missing, 0\.1 MB \(download 0\.1 MB\)\n +For tests only\.\n +Training data: Pseudorandom bytes\.\n +Commercial use: disputed/,
    );
    await writeFiles(modelsDir, { 'own/a.onnx': OWN_FILES['a.onnx'], 'own/b.onnx': OWN_FILES['b.onnx'] });
    await writeFiles(modelsDir, { 'broken/x.onnx': 'x' });
    await writeFiles(join(modelsDir, TINY), tiny.files);
    const { code, stdout } = await models('list');
    expect(code).toBe(0);
    expect(stdout).toMatch(/tiny +installed, verified, 0\.1 MB/);
    expect(stdout).toMatch(/synthetic +part of this project.*\n.*\n.*recognises nobody/);
    expect(stdout).toMatch(
      /own +installed, hashes unpinned(.*\n){3} +Training data: Unknown.*\n +Commercial use: unknown/,
    );
    expect(stdout).toMatch(/broken +wrong\n.*no detector/);
  });
});

describe('models install', () => {
  it('downloads a pack of the catalogue, also if wrong files are installed', async () => {
    const { models, modelsDir, tiny } = await setup();
    const server = await startFileServer(() => ({ content: tiny.archive }));
    onTestFinished(server.close);
    await writeFiles(join(modelsDir, TINY), { ...tiny.files, 'det.onnx': 'wrong' });
    const { code, stdout, stderr } = await models('install tiny', { MODEL_BASE_URL: server.url });
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('100 %') });
    expect(stdout).toContain(`tiny is installed in ${join(modelsDir, TINY)}.`);
    expect(stdout).toContain('For tests only.');
    expect((await models('verify tiny')).stdout).toContain('installed, verified');
  });

  it('reports why a download failed', async () => {
    const { models } = await setup();
    const server = await startFileServer(() => ({ status: 404 }));
    onTestFinished(server.close);
    const { code, stderr } = await models('install tiny', { MODEL_BASE_URL: server.url });
    expect(code).toBe(1);
    expect(stderr).toMatch(/could not be downloaded\. .*tiny\.zip answered 404\.\n$/);
  });

  it.each(['zip', 'folder'])(
    'installs a pack of the catalogue from a %s after verifying it',
    async (kind) => {
      const { models, folder, modelsDir, tiny } = await setup();
      await writeFiles(folder, { 'any.zip': tiny.archive });
      await writeFiles(join(folder, 'any'), { ...tiny.files, 'other.onnx': 'not needed' });
      const from = join(folder, kind === 'zip' ? 'any.zip' : 'any');
      expect(await models(`install tiny --from ${from}`)).toMatchObject({ code: 0, stderr: '' });
      expect(await filesIn(modelsDir)).toEqual(['tiny/det.onnx', 'tiny/rec.onnx']);

      const wrong = { ...tiny.files, 'rec.onnx': bytesOf('wrong', 70_000) };
      await writeFiles(folder, { 'any.zip': zipOf(wrong) });
      await writeFiles(join(folder, 'any'), wrong);
      const { code, stderr } = await models(`install tiny --from ${from}`);
      expect(code).toBe(1);
      expect(stderr).toMatch(/rec\.onnx.* has the SHA-256 [0-9a-f]{64}, expected is [0-9a-f]{64}\./);
      expect((await models('verify tiny')).code).toBe(0);
      expect(await filesIn(modelsDir)).toEqual(['tiny/det.onnx', 'tiny/rec.onnx']);
    },
  );

  it.each(['zip', 'folder'])(
    'installs any other pack from a %s, with only the files it needs',
    async (kind) => {
      const { models, folder, modelsDir } = await setup();
      const files = {
        ...OWN_FILES,
        'genderage.onnx': 'not needed',
        'notes.txt': 'no',
        LICENSE: 'as you like',
      };
      const inFolder = Object.fromEntries(
        Object.entries(files).map(([name, content]) => [`top/${name}`, content]),
      );
      await writeFiles(folder, inFolder);
      const encoded = Object.entries(inFolder).map(([name, content]) => [name, Buffer.from(content)]);
      await writeFiles(folder, { 'top.zip': zipOf(Object.fromEntries(encoded)) });
      const from = join(folder, kind === 'zip' ? 'top.zip' : 'top');
      const { code, stderr, stdout } = await models(`install own --from ${from}`);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain('unpinned');
      expect(await filesIn(modelsDir)).toEqual(['own/LICENSE', 'own/a.onnx', 'own/b.onnx']);
      expect(await models(`install own --from ${from}`)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('exists'),
      });
    },
  );

  it('keeps the folders that a manifest names', async () => {
    const { models, folder, modelsDir } = await setup();
    await writeFiles(join(folder, 'from'), { ...MANIFEST_FILES, 'nets/verification.onnx': 'not needed' });
    expect(await models(`install own --from ${join(folder, 'from')}`)).toMatchObject({ code: 0, stderr: '' });
    expect(await filesIn(join(modelsDir, 'own'))).toEqual(Object.keys(MANIFEST_FILES).sort());
  });

  it('leaves no files of a pack that cannot be resolved', async () => {
    const { models, folder, modelsDir } = await setup();
    await writeFiles(folder, { 'x.zip': zipOf({ 'x.onnx': Buffer.from('x') }), 'y.zip': 'no zip' });
    expect((await models(`install own --from ${join(folder, 'x.zip')}`)).stderr).toContain('no detector');
    expect((await models(`install own --from ${join(folder, 'y.zip')}`)).stderr).toContain(
      'not a readable zip',
    );
    expect((await models(`install own --from ${join(folder, 'z.zip')}`)).stderr).toContain('ENOENT');
    expect(await filesIn(modelsDir)).toEqual([]);
  });
});

describe('models install with a path', () => {
  it('takes the name of a folder from its manifest, and that of an archive from its file', async () => {
    const { models, folder, modelsDir } = await setup();
    await writeFiles(join(folder, 'from'), MANIFEST_FILES);
    expect(await models(`install ${join(folder, 'from')}`)).toMatchObject({ code: 0, stderr: '' });
    const archive = Object.entries(OWN_FILES).map(([name, content]) => [name, Buffer.from(content)]);
    await writeFiles(folder, { 'mine.zip': zipOf(Object.fromEntries(archive)), 'no name/x.onnx': 'x' });
    expect(await models(`install ${join(folder, 'mine.zip')}`)).toMatchObject({ code: 0, stderr: '' });
    expect(await filesIn(join(modelsDir, 'own'))).toEqual(Object.keys(MANIFEST_FILES).sort());
    expect(await filesIn(join(modelsDir, 'mine'))).toEqual(['a.onnx', 'b.onnx']);
  });

  it('installs a pack of the catalogue file by file, whatever the files are called', async () => {
    const { models, folder, modelsDir, tiny } = await setup();
    const [detector, recogniser] = Object.values(tiny.files) as [Buffer, Buffer];
    await writeFiles(folder, { 'one.onnx': detector, 'two.onnx': recogniser, 'three.onnx': 'another' });
    const first = await models(`install ${join(folder, 'one.onnx')}`);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('still needs rec.onnx') });
    expect(await models(`install tiny --from ${join(folder, 'three.onnx')}`)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/has the SHA-256 .* expected is one of tiny: det\.onnx \(.*rec\.onnx \(/),
    });
    const second = await models(`install tiny --from ${join(folder, 'two.onnx')}`);
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('tiny is installed in') });
    expect(await filesIn(modelsDir)).toEqual(['tiny/det.onnx', 'tiny/rec.onnx']);
  });

  it('says of which pack a file is not a part', async () => {
    const { models, folder } = await setup();
    await writeFiles(folder, { 'three.onnx': 'another' });
    expect(await models(`install ${join(folder, 'three.onnx')}`)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/is a part of no pack of the catalogue \(tiny\)/),
    });
    const { code, stderr } = await models(`install own --from ${join(folder, 'three.onnx')}`);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('put all networks') });
  });
});

describe('models verify', () => {
  it('fails for a missing or wrong pack', async () => {
    const { models, modelsDir, tiny } = await setup();
    expect(await models('verify tiny')).toMatchObject({ code: 1, stdout: '' });
    await writeFiles(join(modelsDir, TINY), { ...tiny.files, 'rec.onnx': 'wrong' });
    const { code, stderr } = await models('verify tiny');
    expect(code).toBe(1);
    expect(stderr).toContain(`expected is ${tiny.pack.recogniser.sha256}`);
  });
});

describe('models with wrong arguments', () => {
  it.each([
    '',
    'remove tiny',
    'install',
    'install ../elsewhere',
    'install unknown',
    'list all',
    'verify tiny other',
    'verify tiny --from x',
    'list --quickly',
    'quantise tiny',
    'quantise --images x',
    'quantise tiny --images x --only both',
    'quantise tiny --images x --weight-bits 6',
    'verify tiny --images x',
  ])('prints the usage and exits with 2: %j', async (command) => {
    const { models } = await setup();
    const { code, stderr } = await models(command);
    expect(code).toBe(2);
    expect(stderr).toContain('Usage:');
  });

  it('exits with 1 for a wrong environment', async () => {
    const { models } = await setup();
    const { code, stderr } = await models('list', { MODEL_BASE_URL: 'ftp://x' });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^MODEL_BASE_URL is "ftp:/) });
  });
});

describe('dist/cli/models.js', () => {
  it('lists the catalogue', async () => {
    const environment = { ...process.env, MODELS_DIR: await temporaryFolder() };
    const program = join(ROOT, 'dist/cli/models.js');
    const output = execFileSync(process.execPath, [program, 'list'], { env: environment, encoding: 'utf8' });
    for (const name of CATALOGUE.keys()) expect(output).toContain(name);
  });
});

describe.skipIf(!hasRealWeights)('the shared real weights', () => {
  it('cannot be installed as buffalo_sc, because they are not the published files', async () => {
    const modelsDir = await temporaryFolder();
    let stderr = '';
    const code = await runModelsCommand(['install', 'buffalo_sc', '--from', SHARED_PACK], {
      environment: { MODELS_DIR: modelsDir },
      stdout: { write: () => true },
      stderr: { write: (text) => (stderr += text) },
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`w600k_mbf.onnx (13612966 bytes) has the SHA-256`);
    expect(stderr).toContain(`expected is ${CATALOGUE.get('buffalo_sc')?.recogniser.sha256}`);
    expect(await filesIn(modelsDir)).toEqual([]);
  });

  it('can be installed with another name, and are prepared for this machine', async () => {
    const modelsDir = await temporaryFolder();
    const folder = await temporaryFolder();
    const code = await runModelsCommand(['install', 'mine', '--from', SHARED_PACK], {
      environment: { MODELS_DIR: modelsDir, PREPARED_DIR: folder },
      stdout: { write: () => true },
      stderr: { write: () => true },
    });
    expect(code).toBe(0);
    expect(await filesIn(modelsDir)).toEqual(['mine/det_500m.onnx', 'mine/w600k_mbf.onnx']);
    expect(await filesIn(folder)).toEqual(
      Array.from({ length: 2 }, () => ['graph.onnx', 'prepared.json', 'weights.bin'])
        .flat()
        .map((name) => expect.stringMatching(`/${name}$`)),
    );
  });
});
