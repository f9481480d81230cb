import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ServiceProcess } from '../support/processes/service-process.ts';
import { ROOT } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const services: ServiceProcess[] = [];
const start = (...options: ConstructorParameters<typeof ServiceProcess>) => {
  const service = new ServiceProcess(...options);
  services.push(service);
  return service;
};
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.end()));
});

describe('starting', () => {
  it.each([
    ['PORT', '80000', 'PORT is "80000"; accepted is a whole number from 0 to 65535.'],
    ['DEVICE', 'tpu', 'DEVICE is "tpu"; accepted is cpu, cuda, webgpu, coreml, auto.'],
    ['MODEL_NAME', 'buffalo_xxl', 'MODEL_NAME is "buffalo_xxl"; accepted is buffalo_l, '],
    ['HOST', '203.0.113.7', 'HOST is "203.0.113.7"; this machine has no such address.'],
  ])('exits with one sentence for %s=%s', async (name, value, sentence) => {
    const service = start({ [name]: value });
    expect(await service.exit).toEqual({ code: 1, signal: null });
    expect(service.stderr).toContain(sentence);
    expect(service.stderr.trim().split('\n')).toHaveLength(1);
    expect(service.stderr).not.toMatch(/^\s+at /m);
  });

  it('exits when the commercial use of the weights is not allowed, but must be', async () => {
    const REQUIRE_COMMERCIAL_WEIGHTS = 'true';
    const service = start({ MODEL_NAME: 'buffalo_sc', REQUIRE_COMMERCIAL_WEIGHTS });
    expect(await service.exit).toEqual({ code: 1, signal: null });
    expect(service.stderr).toMatch(/^REQUIRE_COMMERCIAL_WEIGHTS is true, and .* buffalo_sc is excluded\./);
    expect(service.stderr.trim().split('\n')).toHaveLength(1);
    const allowed = start({ MODEL_NAME: 'synthetic', REQUIRE_COMMERCIAL_WEIGHTS });
    await allowed.ready();
    const loaded = allowed.log.find(({ msg }) => msg === 'the model pack is loaded');
    expect(loaded).toMatchObject({ commercialUse: 'allowed', trainingData: 'None.' });
  });

  it('exits with one sentence when the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const service = start({ PORT: String(port) });
    expect(await service.exit).toEqual({ code: 1, signal: null });
    expect(service.stderr).toBe(`PORT is ${port}; it is in use already. Accepted is a free port.\n`);
    other.close();
  });

  it.skipIf(process.platform !== 'linux').each([
    ['cuda', 'an NVIDIA driver, CUDA and cuDNN'],
    ['webgpu', 'a GPU and its driver: on Linux one for Vulkan'],
    ['coreml', 'macOS on Apple silicon'],
  ])('exits when DEVICE=%s is not available, rather than run on the CPU', async (DEVICE, needs) => {
    // Names no driver, so that a GPU of this machine is not found.
    const service = start({ DEVICE, VK_ICD_FILENAMES: '/none.json', CUDA_VISIBLE_DEVICES: '-1' });
    expect(await service.exit).toEqual({ code: 1, signal: null });
    expect(service.stderr).toContain(
      `DEVICE is "${DEVICE}"; this installation of ONNX Runtime cannot use it. `,
    );
    expect(service.stderr).toContain(`It needs ${needs}`);
    expect(service.stderr.trim().split('\n')).toHaveLength(1);
    expect(service.stderr).not.toContain('/node_modules/');
    expect(service.log).toEqual([]);
  });

  const hasGpu = ['/dev/dri', '/dev/nvidiactl', '/dev/dxg'].some((path) => existsSync(path));
  it.skipIf(process.platform !== 'linux' || hasGpu)(
    'takes the CPU with DEVICE=auto on a machine without a GPU, and says why',
    async () => {
      const service = start({ DEVICE: 'auto' });
      const address = await service.ready();
      const passedOver = {
        cuda: 'There is no device file of an NVIDIA GPU (/dev/nvidiactl, /dev/dxg).',
        coreml: expect.stringContaining('It is for darwin-arm64'),
        webgpu: 'There is no device file of a GPU (/dev/dri/renderD*, /dev/nvidiactl, /dev/dxg).',
      };
      expect(service.log.find(({ msg }) => msg === 'DEVICE=auto is cpu')).toMatchObject({ passedOver });
      const info = await (await fetch(`${address}/v1/model-info`)).json();
      expect(info).toMatchObject({ device: 'cpu', device_passed_over: passedOver });
    },
  );

  it('runs without weights, and reports why and how to get them', async () => {
    const modelsDir = await temporaryFolder();
    const service = start({ MODEL_NAME: 'buffalo_l', MODELS_DIR: modelsDir, MODEL_AUTO_DOWNLOAD: 'false' });
    const address = await service.listening();
    const health = async () => (await fetch(`${address}/v1/health`)).json();
    await expect.poll(health).not.toMatchObject({ status: 'starting' });
    expect(await health()).toMatchObject({
      status: 'unhealthy',
      model_loaded: false,
      model_name: 'buffalo_l',
      error_code: 'MODEL_NOT_LOADED',
      detail: 'The weights are not installed; the log says how to get them.',
    });
    const embed = await fetch(`${address}/v1/embed`, {
      method: 'POST',
      headers: { 'Content-Type': 'image/png' },
      body: new Uint8Array([1]),
    });
    expect(embed.status).toBe(503);
    expect(await embed.json()).toMatchObject({ error_code: 'MODEL_NOT_LOADED' });
    const compare = await fetch(`${address}/v1/compare`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"query_embedding": [1], "reference_embeddings": []}',
    });
    expect(compare.status).toBe(200);
    for (const way of [
      'det_10g.onnx',
      'MODEL_AUTO_DOWNLOAD=true',
      'npm run models -- install',
      'MODEL_NAME=synthetic',
    ]) {
      expect(service.stdout).toContain(way);
    }
    // Loading is tried again.
    const retries = () => service.log.filter(({ retryInMs }) => retryInMs !== undefined).length;
    await expect.poll(retries).toBeGreaterThanOrEqual(2);
  });

  it('logs a warning about the synthetic pack', async () => {
    const service = start();
    await service.ready();
    await expect.poll(() => service.stdout).toContain('it recognises nobody');
  });

  it('becomes ready when the weights are installed', async () => {
    const modelsDir = await temporaryFolder();
    mkdirSync(join(modelsDir, 'mine'));
    const service = start({ MODEL_NAME: 'mine', MODELS_DIR: modelsDir });
    const address = await service.listening();
    expect((await fetch(`${address}/readyz`)).status).toBe(503);
    cpSync(join(ROOT, 'models/synthetic'), join(modelsDir, 'mine'), { recursive: true });
    await expect.poll(async () => (await fetch(`${address}/readyz`)).status).toBe(200);
    const info = await (await fetch(`${address}/v1/model-info`)).json();
    expect(info).toMatchObject({ name: 'mine', synthetic: false, detector: { pinned: false } });
  });

  it('reads a .env file, and variables of the environment take precedence', async () => {
    const files = { '.env': 'APP_NAME=from the file\nMODEL_NAME=nothing_of_the_sort\n' };
    const [fromFile, fromEnvironment] = [undefined, 'another_one'].map((MODEL_NAME) =>
      start({ MODEL_NAME }, files),
    );
    await Promise.all([fromFile?.exit, fromEnvironment?.exit]);
    expect(fromFile?.stderr).toContain('MODEL_NAME is "nothing_of_the_sort"');
    expect(fromEnvironment?.stderr).toContain('MODEL_NAME is "another_one"');
  });
});
