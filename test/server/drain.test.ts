import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { metric } from '../support/metric.ts';
import { blobs } from '../support/pictures.ts';
import { ServiceProcess } from '../support/service-process.ts';

let service: ServiceProcess;
afterEach(async () => {
  service.kill('SIGKILL');
  await service.exit;
});

/** A picture that keeps a worker busy for a while: decoding it takes long. */
const slowPicture = async () =>
  new Uint8Array(await blobs(1, 5000, 4000).png({ compressionLevel: 0 }).toBuffer());

const embed = (address: string, body: Uint8Array<ArrayBuffer>) =>
  fetch(`${address}/v1/embed`, { method: 'POST', headers: { 'Content-Type': 'image/png' }, body });

const untilProcessing = (address: string) =>
  expect.poll(() => metric(address, 'face_images_processing'), { interval: 10, timeout: 5000 }).toBe(1);

describe('draining', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s: work in flight is answered, then exit 0', async (signal) => {
    service = new ServiceProcess({ MAX_IMAGE_SIZE: '100000000', MAX_REQUEST_SIZE: '100000000' });
    const address = await service.ready();
    const picture = await slowPicture();
    const answers = Promise.all([embed(address, picture), embed(address, picture), embed(address, picture)]);
    // One is in the worker, the others wait or are still on their way.
    await expect.poll(() => metric(address, 'face_images_admitted'), { interval: 10, timeout: 5000 }).toBe(3);
    service.kill(signal);
    for (const answer of await answers) expect(answer.status).toBe(200);
    expect(await service.exit).toEqual({ code: 0, signal: null });
    await expect(fetch(`${address}/livez`)).rejects.toThrow();
  });

  it('ends at once when idle, kept-alive connections or not', async () => {
    service = new ServiceProcess();
    const address = await service.ready();
    const agent = new Agent({ keepAlive: true });
    const probe = request(`${address}/livez`, { agent }).end();
    const [response] = await once(probe, 'response');
    response.resume();
    await once(response, 'end');
    const started = performance.now();
    service.kill('SIGTERM');
    expect(await service.exit).toEqual({ code: 0, signal: null });
    expect(performance.now() - started).toBeLessThan(2000);
    agent.destroy();
  });

  it('can be told to end while it loads', async () => {
    service = new ServiceProcess();
    await service.listening();
    service.kill('SIGTERM');
    expect(await service.exit).toEqual({ code: 0, signal: null });
  });

  it('is killed rather than aborted when work outlasts the grace', async () => {
    service = new ServiceProcess({
      MAX_IMAGE_SIZE: '100000000',
      MAX_REQUEST_SIZE: '100000000',
      SHUTDOWN_GRACE_MS: '1',
    });
    const address = await service.ready();
    const answer = embed(address, await slowPicture()).catch((error) => error);
    await untilProcessing(address);
    service.kill('SIGTERM');
    expect(await service.exit).toEqual({ code: null, signal: 'SIGKILL' });
    expect(service.stdout).toContain('work is still in flight');
    await answer;
  });

  it('is cut short by a second signal', async () => {
    service = new ServiceProcess({ MAX_IMAGE_SIZE: '100000000', MAX_REQUEST_SIZE: '100000000' });
    const address = await service.ready();
    const answer = embed(address, await slowPicture()).catch((error) => error);
    await untilProcessing(address);
    service.kill('SIGTERM');
    await expect.poll(() => service.stdout).toContain('draining');
    service.kill('SIGTERM');
    expect(await service.exit).toEqual({ code: null, signal: 'SIGKILL' });
    await answer;
  });
});
