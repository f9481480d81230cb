import { afterEach, describe, expect, it } from 'vitest';
import { HeldUpload } from '../support/http/held-upload.ts';
import { metric } from '../support/http/metric.ts';
import { blobsPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';
import { ROOT } from '../support/shared.ts';

let service: ServiceProcess;
afterEach(() => service.end());

/** Starts the service with workers/interfere.ts. */
function startWith(interference: string, environment: Record<string, string> = {}): ServiceProcess {
  const preload = new URL('build/test/server/workers/interfere.js', `file://${ROOT}/`);
  return new ServiceProcess({
    INTERFERE: interference,
    NODE_OPTIONS: `--import=${preload.href}`,
    ...environment,
  });
}

const lines = (message: string) => service.log.filter(({ msg }) => msg === message);

describe('a signal during the start', () => {
  it('ends a process that has started nothing yet, before the rest of the program is read', async () => {
    service = startWith('signal at once');
    expect(await service.exit).toEqual({ code: 0, signal: null });
    expect(service.stdout + service.stderr).toBe('');
  });

  it('ends a process whose workers load, when they have loaded, and without waiting for balancers', async () => {
    service = startWith('signal with the first worker', { SHUTDOWN_DELAY_MS: '3600000' });
    expect(await service.exit).toEqual({ code: 0, signal: null });
    expect(lines('draining')).toHaveLength(1);
    expect(service.stderr).toBe('');
  });
});

describe('a signal to a running service', () => {
  it('SIGHUP drains as SIGTERM does', async () => {
    service = new ServiceProcess();
    const address = await service.ready();
    const upload = new HeldUpload(address, await blobsPng(1));
    await expect.poll(() => metric(address, 'face_http_requests_in_flight')).toBe(2);
    service.kill('SIGHUP');
    await expect.poll(() => lines('draining')).toHaveLength(1);
    expect(await upload.finish()).toMatchObject({ status: 200 });
    expect(await service.exit).toEqual({ code: 0, signal: null });
  });

  it('SIGUSR1 does not open the inspector', async () => {
    service = new ServiceProcess();
    await service.listening();
    service.kill('SIGUSR1');
    await expect.poll(() => service.stdout).toContain('SIGUSR1 is ignored');
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(service.stderr).toBe('');
  });
});

describe('an error that nothing caught', () => {
  it.each([
    ['exception', 'thrown by the test'],
    ['rejection', 'rejected by the test'],
  ])('(%s) is one line of the log; what was accepted is answered, then exit 1', async (kind, message) => {
    service = startWith(kind, { SHUTDOWN_DELAY_MS: '3600000' });
    const address = await service.ready();
    const upload = new HeldUpload(address, await blobsPng(1));
    await expect.poll(() => metric(address, 'face_http_requests_in_flight')).toBe(2);
    service.kill('SIGUSR2');
    const fatal = () => service.log.filter(({ level }) => level === 60);
    await expect.poll(fatal).toHaveLength(1);
    expect(fatal()[0]).toMatchObject({ err: { message, stack: expect.any(String) } });
    expect(await upload.finish()).toMatchObject({ status: 200 });
    expect(await service.exit).toEqual({ code: 1, signal: null });
    expect(service.stderr).toBe('');
  });

  it('kills the process when it is the second', async () => {
    service = startWith('exception');
    const address = await service.ready();
    new HeldUpload(address, await blobsPng(1));
    await expect.poll(() => metric(address, 'face_http_requests_in_flight')).toBe(2);
    const fatal = () => service.log.filter(({ level }) => level === 60);
    service.kill('SIGUSR2');
    await expect.poll(fatal).toHaveLength(1);
    service.kill('SIGUSR2');
    expect(await service.exit).toEqual({ code: null, signal: 'SIGKILL' });
    expect(fatal()).toHaveLength(2);
  });

  it('during the start is one line on standard error', async () => {
    service = startWith('rejection at the start');
    expect(await service.exit).toEqual({ code: 1, signal: null });
    const [line, ...others] = service.stderr.trim().split('\n');
    expect(JSON.parse(line ?? '')).toMatchObject({ level: 60, err: { message: 'rejected by the test' } });
    expect(others).toEqual([]);
  });
});

it('a warning of Node is a line of the log', async () => {
  service = startWith('warning');
  await service.listening();
  service.kill('SIGUSR2');
  await expect.poll(() => lines('Node warns of something')).toHaveLength(1);
  expect(lines('Node warns of something')[0]).toMatchObject({ level: 40, err: { message: 'of the test' } });
  expect(await service.stop()).toEqual({ code: 0, signal: null });
  expect(service.stderr).toBe('');
});
