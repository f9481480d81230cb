import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ServiceProcess } from '../support/service-process.ts';
import { ROOT } from '../support/shared.ts';

const services: ServiceProcess[] = [];
const start = (environment: Record<string, string> = {}) => {
  const service = new ServiceProcess(environment);
  services.push(service);
  return service;
};
afterEach(async () => {
  for (const service of services.splice(0)) {
    service.kill('SIGKILL');
    await service.exit;
  }
});

describe('starting', () => {
  it.each([
    ['PORT', '80000', 'PORT is "80000"; accepted is a whole number from 0 to 65535.'],
    ['DEVICE', 'tpu', 'DEVICE is "tpu"; accepted is cpu, cuda.'],
    ['MODEL_NAME', 'buffalo_xxl', 'MODEL_NAME is "buffalo_xxl"; accepted is buffalo_l, '],
    ['HOST', '203.0.113.7', 'HOST is "203.0.113.7"; this machine has no such address.'],
  ])('ends with one sentence for %s=%s', async (name, value, sentence) => {
    const service = start({ [name]: value });
    expect(await service.exit).toEqual({ code: 1, signal: null });
    expect(service.stderr).toContain(sentence);
    expect(service.stderr.trim().split('\n')).toHaveLength(1);
    expect(service.stderr).not.toMatch(/^\s+at /m);
  });

  it('ends with one sentence when the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const service = start({ PORT: String(port) });
    expect(await service.exit).toEqual({ code: 1, signal: null });
    expect(service.stderr).toBe(`PORT is ${port}; it is in use already. Accepted is a free port.\n`);
    other.close();
  });

  it('refuses a GPU that is not there rather than to run without it', async () => {
    const service = start({ DEVICE: 'cuda' });
    const { code } = await service.exit;
    expect(code).toBe(1);
    expect(service.stderr).toContain('DEVICE is "cuda"; this installation of ONNX Runtime cannot use it.');
    expect(service.stderr).not.toMatch(/^\s+at /m);
  });

  it('serves without weights, says why, and how to get them', async () => {
    const modelsDir = mkdtempSync(join(tmpdir(), 'models-'));
    const service = start({ MODEL_NAME: 'buffalo_l', MODELS_DIR: modelsDir, MODEL_AUTO_DOWNLOAD: 'false' });
    const address = await service.listening();
    const health = async () => (await fetch(`${address}/v1/health`)).json();
    while (((await health()) as { status: string }).status === 'starting')
      await new Promise((r) => setTimeout(r, 20));
    expect(await health()).toMatchObject({
      status: 'unhealthy',
      model_loaded: false,
      model_name: 'buffalo_l',
      error_code: 'MODEL_NOT_LOADED',
      detail: expect.stringContaining('det_10g.onnx'),
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
    for (const way of ['MODEL_AUTO_DOWNLOAD=true', 'npm run models -- install', 'MODEL_NAME=synthetic']) {
      expect(service.stdout).toContain(way);
    }
    // It is tried again by itself.
    await expect
      .poll(() => service.log.filter(({ retryInMs }) => retryInMs !== undefined).length, { timeout: 5000 })
      .toBeGreaterThanOrEqual(2);
  });

  it('says plainly that the synthetic pack recognises nobody', async () => {
    const service = start();
    await service.ready();
    await expect.poll(() => service.stdout).toContain('it recognises nobody');
  });

  it('becomes ready by itself when the weights arrive', async () => {
    const modelsDir = mkdtempSync(join(tmpdir(), 'models-'));
    mkdirSync(join(modelsDir, 'mine'));
    const service = start({ MODEL_NAME: 'mine', MODELS_DIR: modelsDir });
    const address = await service.listening();
    expect((await fetch(`${address}/readyz`)).status).toBe(503);
    cpSync(join(ROOT, 'models/synthetic'), join(modelsDir, 'mine'), { recursive: true });
    await expect.poll(async () => (await fetch(`${address}/readyz`)).status, { timeout: 8000 }).toBe(200);
    const info = await (await fetch(`${address}/v1/model-info`)).json();
    expect(info).toMatchObject({ name: 'mine', synthetic: false, detector: { pinned: false } });
  });

  it('reads a .env file, and variables that are set win over it', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'service-'));
    writeFileSync(join(cwd, '.env'), 'APP_NAME=from the file\nMODEL_NAME=nothing_of_the_sort\n');
    const run = (environment: Record<string, string>) =>
      spawnSync(process.execPath, [join(ROOT, 'dist/main.js')], {
        cwd,
        encoding: 'utf8',
        env: { PATH: process.env.PATH, ...environment },
      });
    expect(run({}).stderr).toContain('MODEL_NAME is "nothing_of_the_sort"');
    expect(run({ MODEL_NAME: 'another_one' }).stderr).toContain('MODEL_NAME is "another_one"');
  });
});
