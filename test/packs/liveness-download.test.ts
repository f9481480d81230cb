import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { LivenessCatalogue } from '../../src/packs/liveness/catalogue.ts';
import { assertLivenessReady, setUpLiveness } from '../../src/packs/liveness/setup.ts';
import { PackDownloadError, PackInvalidError, PackMissingError } from '../../src/packs/pack-errors.ts';
import { type Answer, type ReceivedRequest, startFileServer } from '../support/packs/file-server.ts';
import { livenessNetwork } from '../support/packs/liveness-networks.ts';
import { pathsOf, TUNING, withoutProxies } from '../support/packs/published-pack.ts';
import { sha256 } from '../support/packs/tiny-packs.ts';
import { filesIn, temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

beforeEach(withoutProxies);

const network = livenessNetwork('insightface');

/** A network with two sources on a server with these answers. */
async function publish(answer: (request: ReceivedRequest, index: number) => Answer) {
  const modelsDir = await temporaryFolder();
  const server = await startFileServer(answer);
  onTestFinished(server.close);
  const file = { name: 'liveness.onnx', bytes: network.length, sha256: sha256(network) };
  const sources = ['first', 'second'].map((name) => `${server.url}/${name}/liveness.onnx`);
  const catalogue: LivenessCatalogue = new Map([
    [
      'known',
      {
        name: 'known',
        family: 'insightface',
        licence: 'For tests only.',
        commercialUse: 'unknown',
        file,
        sources,
      },
    ],
  ]);
  const messages: string[] = [];
  const note = (_: object, message: string) => messages.push(message);
  const settings = {
    LIVENESS: 'report' as const,
    LIVENESS_MODEL: 'known',
    LIVENESS_THRESHOLD: undefined,
    MODELS_DIR: modelsDir,
    MODEL_NAME: 'pack',
    MODEL_AUTO_DOWNLOAD: true,
    MODEL_BASE_URL: '',
  };
  const log = { info: note, warn: note };
  const setUp = (changed: Partial<typeof settings> = {}) =>
    setUpLiveness({ ...settings, ...changed }, { catalogue, log, tuning: TUNING });
  return { setUp, server, modelsDir, messages, settings, catalogue };
}

describe('a liveness network of the catalogue', () => {
  it('is downloaded once, and verified', async () => {
    const { setUp, server, modelsDir } = await publish(() => ({ content: network }));
    const [setup] = await Promise.all([setUp(), setUp()]);
    expect(setup?.weights).toMatchObject({ family: 'insightface', files: [{ pinned: true }] });
    await setUp();
    expect(pathsOf(server)).toEqual(['/first/liveness.onnx']);
    expect(await filesIn(modelsDir)).toEqual(['known/liveness.onnx']);
  });

  it('comes from a mirror if there is one', async () => {
    const { setUp, server } = await publish(() => ({ content: network }));
    await setUp({ MODEL_BASE_URL: `${server.url}/mirror/` });
    expect(pathsOf(server)).toEqual(['/mirror/known/liveness.onnx']);
  });

  it('is asked for again where the connection breaks off, and elsewhere where it is another file', async () => {
    const { setUp, server, messages } = await publish(({ path }, index) =>
      index === 0
        ? { content: network, cutAfter: 20 }
        : { content: path.startsWith('/first') ? livenessNetwork('facenox') : network },
    );
    await setUp();
    expect(pathsOf(server).at(-1)).toBe('/second/liveness.onnx');
    expect(messages.join('\n')).toContain('/first/liveness.onnx has another file');
  });

  it('that no source has is missing, with the reason of each, and nothing is left behind', async () => {
    const { setUp, modelsDir } = await publish(({ path }) => ({
      status: path.startsWith('/first') ? 404 : 410,
    }));
    await expect(setUp()).rejects.toThrow(PackDownloadError);
    await expect(setUp()).rejects.toThrow(
      /first\/liveness\.onnx answered 404\..*second\/liveness\.onnx answered 410\./,
    );
    expect(await filesIn(modelsDir)).toEqual([]);
  });

  it('is not downloaded where that is not allowed', async () => {
    const { setUp, server } = await publish(() => ({ content: network }));
    await expect(setUp({ MODEL_AUTO_DOWNLOAD: false })).rejects.toThrow(PackMissingError);
    expect(server.requests).toEqual([]);
  });

  it('is not downloaded where a file is in the place of its folder', async () => {
    const { setUp, modelsDir } = await publish(() => ({ content: network }));
    await writeFiles(modelsDir, { known: 'a file' });
    await expect(setUp()).rejects.toThrow(PackInvalidError);
  });

  it('that is still to be downloaded does not stop the start, but a missing threshold does', async () => {
    const { settings, catalogue, server } = await publish(() => ({ content: network }));
    await assertLivenessReady(settings, catalogue);
    const required = { ...settings, LIVENESS: 'require' as const };
    await expect(assertLivenessReady(required, catalogue)).rejects.toThrow(/^LIVENESS is require/);
    await assertLivenessReady({ ...required, LIVENESS_THRESHOLD: 0.8 } as never, catalogue);
    expect(server.requests).toEqual([]);
  });
});
