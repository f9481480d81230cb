import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { metric } from '../support/http/metric.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';

let service: ServiceProcess;
afterEach(async () => {
  service.child.stdout?.resume();
  await service.end();
});

const agent = new Agent({ keepAlive: true, maxSockets: 4 });

/** A request that is logged as about a kilobyte. */
async function livez(address: string, id: string): Promise<number | undefined> {
  const headers = {
    'X-Request-Id': `${id}-`.padEnd(255, 'x'),
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  };
  const [response] = await once(request(`${address}/livez`, { agent, headers }).end(), 'response');
  response.resume();
  await once(response, 'end');
  return response.statusCode;
}

describe('a service whose standard output is not read', () => {
  it('answers, drops and counts lines in bounded memory, and goes on when it is read again', async () => {
    service = new ServiceProcess({ LOG_LEVEL: 'debug' });
    const address = await service.ready();
    service.child.stdout?.pause();
    const before = service.memory;
    const statuses = new Set<number | undefined>();
    const call = async (caller: number) => {
      for (let i = 0; i < 1_000; i++) statuses.add(await livez(address, `${caller}-${i}`));
    };
    await Promise.all([1, 2, 3, 4].map(call));
    expect([...statuses]).toEqual([200]);
    const dropped = await metric(address, 'face_log_lines_dropped_total');
    expect(dropped).toBeGreaterThan(0);
    expect(service.memory - before).toBeLessThan(64);

    service.child.stdout?.resume();
    const told = () => service.log.find(({ msg }) => String(msg).startsWith('log lines were dropped'));
    await expect.poll(told).toMatchObject({ level: 40, dropped: expect.any(Number) });
    expect(told()?.dropped).toBeGreaterThanOrEqual(dropped as number);
    // Nothing else is lost, and the lines are whole and in order.
    await livez(address, 'last');
    const ids = () => service.log.flatMap(({ requestId }) => (requestId ? [String(requestId)] : []));
    await expect.poll(() => ids().at(-1)).toMatch(/^last-x/);
    const first = ids().filter((id) => id.startsWith('1-'));
    expect(first).toEqual(first.map((_, i) => `1-${i}-`.padEnd(255, 'x')));
    const broken = service.stdout.split('\n').filter((line) => line !== '' && !line.endsWith('}'));
    expect(broken).toEqual([]);
  });

  it('ends when it is told to', async () => {
    service = new ServiceProcess({ LOG_LEVEL: 'debug' });
    const address = await service.ready();
    service.child.stdout?.pause();
    for (let i = 0; i < 1_000; i++) await livez(address, String(i));
    const ended = once(service.child, 'exit');
    service.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });
});

describe('a service whose standard output nobody has open any more', () => {
  it('serves on', async () => {
    service = new ServiceProcess({ LOG_LEVEL: 'debug' });
    const address = await service.ready();
    service.child.stdout?.destroy();
    for (let i = 0; i < 50; i++) expect(await livez(address, String(i))).toBe(200);
    const ended = once(service.child, 'exit');
    service.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });
});
