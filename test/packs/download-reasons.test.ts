import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { servePack } from '../support/packs/described-packs.ts';
import { startFileServer } from '../support/packs/file-server.ts';
import { withoutProxies } from '../support/packs/published-pack.ts';
import { temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

beforeEach(withoutProxies);

/** Serves with a folder for packs, and with a mirror that has none. */
async function serve(modelsDir: string, name: string, environment: Record<string, string> = {}) {
  const mirror = await startFileServer(() => ({ status: 404 }));
  onTestFinished(mirror.close);
  const served = await servePack(modelsDir, name, { MODEL_BASE_URL: `${mirror.url}/mirror`, ...environment });
  return { ...served, health: await served.get('/v1/health'), mirror: mirror.url };
}

describe('the probes say in general what is wrong, and the log in detail, when the weights', () => {
  it('cannot be downloaded', async () => {
    const { ready, health, errors, mirror } = await serve(await temporaryFolder(), 'buffalo_sc');
    const detail = 'The weights could not be downloaded; the log says why.';
    expect(ready.body).toMatchObject({ error_code: 'MODEL_NOT_LOADED', detail });
    expect(health.body).toMatchObject({ error_code: 'MODEL_NOT_LOADED', detail });
    expect(errors[0]).toContain(`${mirror}/mirror/buffalo_sc.zip answered 404`);
  });

  it('cannot be stored', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { file: '' });
    const { ready, errors } = await serve(join(folder, 'file', 'models'), 'buffalo_sc');
    expect(ready.body.detail).toBe('The weights could not be stored; the log says why.');
    expect(errors[0]).toContain(join(folder, 'file', 'models'));
  });

  it('are not installed', async () => {
    const modelsDir = await temporaryFolder();
    const { ready, errors } = await serve(modelsDir, 'buffalo_sc', { MODEL_AUTO_DOWNLOAD: 'false' });
    expect(ready.body.detail).toBe('The weights are not installed; the log says how to get them.');
    expect(errors[0]).toContain(join(modelsDir, 'buffalo_sc'));
  });

  it('have a wrong hash', async () => {
    const modelsDir = await temporaryFolder();
    const files = { 'det_500m.onnx': 'wrong', 'w600k_mbf.onnx': 'wrong' };
    await writeFiles(join(modelsDir, 'buffalo_sc'), files);
    const { ready, errors } = await serve(modelsDir, 'buffalo_sc');
    expect(ready.body.detail).toBe('The model pack is not valid; the log says why.');
    expect(errors[0]).toMatch(/buffalo_sc\/.*has the SHA-256 [0-9a-f]{64}, expected is/);
  });
});
