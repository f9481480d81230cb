import { afterEach, describe, expect, it } from 'vitest';
import { blobsPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/service-process.ts';

let service: ServiceProcess;
afterEach(async () => {
  service.kill('SIGKILL');
  await service.exit;
});

describe('for SHUTDOWN_DELAY_MS after the signal', () => {
  it('the probes fail, requests are served, connections are closed, and then the port', async () => {
    service = new ServiceProcess({ SHUTDOWN_DELAY_MS: '1200' });
    const address = await service.ready();
    const picture = await blobsPng(1);
    const signalled = performance.now();
    service.kill('SIGTERM');
    await expect.poll(async () => (await fetch(`${address}/readyz`)).status).toBe(503);
    const health = await fetch(`${address}/v1/health`);
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({ status: 'draining', model_loaded: true });
    while (performance.now() - signalled < 900) {
      const answer = await fetch(`${address}/v1/embed`, {
        method: 'POST',
        headers: { 'Content-Type': 'image/png' },
        body: picture,
      });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('connection')).toBe('close');
      await answer.arrayBuffer();
    }
    expect(await service.exit).toEqual({ code: 0, signal: null });
    expect(performance.now() - signalled).toBeGreaterThan(1150);
  });
});
