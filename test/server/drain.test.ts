import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HeldUpload } from '../support/held-upload.ts';
import { metric } from '../support/metric.ts';
import { blobsPng, slowPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/service-process.ts';

const AN_HOUR = '3600000';

let service: ServiceProcess;
afterEach(() => service.end());

let small: Uint8Array<ArrayBuffer>;
let slow: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  [small, slow] = await Promise.all([blobsPng(1), slowPng()]);
});

const embed = (address: string, body: Uint8Array<ArrayBuffer>) =>
  fetch(`${address}/v1/embed`, { method: 'POST', headers: { 'Content-Type': 'image/png' }, body });

const untilDraining = () => expect.poll(() => service.stdout).toContain('"draining"');

describe('draining', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s: work in flight is answered, then exit 0', async (signal) => {
    service = new ServiceProcess();
    const address = await service.ready();
    const processed = embed(address, slow);
    const uploads = [1, 2, 3].map(() => new HeldUpload(address, small));
    await expect.poll(() => metric(address, 'face_images_admitted')).toBeGreaterThanOrEqual(3);
    service.kill(signal);
    await untilDraining();
    for (const upload of uploads) expect(await upload.finish()).toMatchObject({ status: 200 });
    // The picture shows no face.
    expect((await processed).status).toBe(422);
    expect(await service.exit).toEqual({ code: 0, signal: null });
    await expect(fetch(`${address}/livez`)).rejects.toThrow();
  });

  it('does not wait for idle connections', async () => {
    service = new ServiceProcess({ KEEP_ALIVE_TIMEOUT_MS: AN_HOUR, SHUTDOWN_GRACE_MS: AN_HOUR });
    const address = await service.ready();
    const agent = new Agent({ keepAlive: true });
    const probe = request(`${address}/livez`, { agent }).end();
    const [response] = await once(probe, 'response');
    response.resume();
    await once(response, 'end');
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    agent.destroy();
  });

  it('also ends a service that is loading', async () => {
    service = new ServiceProcess();
    await service.listening();
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('for SHUTDOWN_DELAY_MS after the signal', () => {
  it('probes fail, and requests are served on connections that are then closed', async () => {
    service = new ServiceProcess({ SHUTDOWN_DELAY_MS: AN_HOUR });
    const address = await service.ready();
    service.kill('SIGTERM');
    await expect.poll(async () => (await fetch(`${address}/readyz`)).status).toBe(503);
    const health = await fetch(`${address}/v1/health`);
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({ status: 'draining', model_loaded: true });
    for (let i = 0; i < 3; i++) {
      const answer = await embed(address, small);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('connection')).toBe('close');
      await answer.arrayBuffer();
    }
  });

  it('the process goes on, and then ends', async () => {
    service = new ServiceProcess({ SHUTDOWN_DELAY_MS: '500' });
    await service.ready();
    const signalled = performance.now();
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - signalled).toBeGreaterThan(490);
  });
});

describe('a service whose workers are busy for long', () => {
  const PICTURES = 30;

  /** Exiting while a thread is in the middle of an inference would abort the process. */
  async function startBusy(environment: Record<string, string>): Promise<void> {
    service = new ServiceProcess(environment);
    const address = await service.ready();
    for (let i = 0; i < PICTURES; i++) embed(address, slow).catch(() => {});
    await expect
      .poll(() => metric(address, 'face_images_admitted'), { interval: 10 })
      .toBeGreaterThan(PICTURES / 2);
    expect(await metric(address, 'face_images_processing')).toBe(1);
  }

  it('is killed, not aborted, after SHUTDOWN_GRACE_MS', async () => {
    await startBusy({ SHUTDOWN_GRACE_MS: '1' });
    expect(await service.stop()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(service.stdout).toContain('work is still in flight');
  });

  it('is killed by a second signal', async () => {
    await startBusy({ SHUTDOWN_GRACE_MS: AN_HOUR });
    service.kill('SIGTERM');
    await untilDraining();
    expect(await service.stop()).toEqual({ code: null, signal: 'SIGKILL' });
  });
});
