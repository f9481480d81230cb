import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HeldUpload } from '../support/http/held-upload.ts';
import { metric } from '../support/http/metric.ts';
import { RawConnection, statuses } from '../support/http/raw-connection.ts';
import { blobsPng, slowPng } from '../support/pictures.ts';
import { freePort } from '../support/processes/free-port.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';

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
    await expect.poll(() => metric(address, 'face_uploads')).toBe(3);
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

  it('closes connections without a request under way, on both ports, and answers those with one', async () => {
    const metricsPort = await freePort();
    service = new ServiceProcess({
      METRICS_PORT: String(metricsPort),
      HEADERS_TIMEOUT_MS: AN_HOUR,
      KEEP_ALIVE_TIMEOUT_MS: AN_HOUR,
      SHUTDOWN_GRACE_MS: AN_HOUR,
    });
    const address = await service.ready();
    const port = Number(new URL(address).port);
    const whole = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';
    const without = [
      '',
      'GET /livez HT',
      'GET /livez HTTP/1.1\r\nHost: x\r\nX-',
      whole,
      `${whole}GET /li`,
    ].flatMap((text) => [port, metricsPort].map((to) => ({ text, connection: new RawConnection(to) })));
    for (const { text, connection } of without) await connection.write(text);
    for (const { text, connection } of without) {
      if (!text.startsWith(whole)) continue;
      await expect.poll(() => statuses(connection.received).length, { interval: 10 }).toBe(1);
    }
    const upload = new HeldUpload(address, small);
    const uploads = `http://127.0.0.1:${metricsPort}`;
    await expect.poll(() => metric(uploads, 'face_uploads')).toBe(1);
    service.kill('SIGTERM');
    await untilDraining();
    for (const { connection } of without.filter((_, index) => index % 2 === 0)) {
      await connection.untilClosed();
      expect(statuses(connection.received).length).toBeLessThanOrEqual(1);
    }
    // The port of the metrics is open until the end, so that the drain can be watched.
    expect(await metric(uploads, 'face_uploads')).toBe(1);
    expect(await upload.finish()).toMatchObject({ status: 200 });
    expect(await service.exit).toEqual({ code: 0, signal: null });
    for (const { connection } of without) await connection.untilClosed();
  });

  it('does not wait for a body that does not come, nor for an answer that is not read', async () => {
    const GRACE_MS = 8_000;
    service = new ServiceProcess({ BODY_TIMEOUT_MS: AN_HOUR, SHUTDOWN_GRACE_MS: String(GRACE_MS) });
    const address = await service.ready();
    const upload = new HeldUpload(address, small);
    const reader = new RawConnection(Number(new URL(address).port));
    reader.stall();
    // Each answer is 1.5 MB, more than the connection buffers.
    const asset = 'GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n';
    await reader.write(asset.repeat(20));
    await expect.poll(() => metric(address, 'face_uploads')).toBe(1);
    service.kill('SIGTERM');
    await expect(upload.answer).rejects.toThrow();
    expect(await service.exit).toEqual({ code: 0, signal: null });
    reader.close();
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
