import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closedLoop, tally } from '../support/http/load.ts';
import { metric } from '../support/http/metric.ts';
import { blobs, bytesOf, slowPng } from '../support/pictures.ts';
import { spawnChild } from '../support/processes/child-process.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';
import { ROOT } from '../support/shared.ts';

const PROBES = ['/livez', '/readyz', '/v1/health', '/metrics'];

let service: ServiceProcess;
let address: string;
beforeEach(async () => {
  service = new ServiceProcess({ WORKERS: '2', MAX_QUEUE: '8', MAX_BATCH_SIZE: '1', MALLOC_ARENA_MAX: '2' });
  address = await service.ready();
});
afterEach(() => service.end());

const requestsCounted = (status: number, code = '') =>
  metric(address, `face_http_requests_total{route="/v1/embed",status="${status}",error_code="${code}"}`);

describe('many more requests than it can take', () => {
  it('are answered or refused and counted, while probes are answered and memory stays bounded', async () => {
    const url = `${address}/v1/embed`;
    const body = bytesOf(await blobs(1, 1600, 1200).jpeg().toBuffer());
    const requests = [{ headers: { 'Content-Type': 'image/jpeg' }, body }];
    const capacity = (await metric(address, 'face_images_capacity')) as number;
    const warmUp = await closedLoop({
      url,
      requests,
      callers: capacity,
      until: ({ length }) => length >= 50,
    });
    expect(tally(warmUp)).toEqual({ 200: warmUp.length });
    const settled = service.memory;

    let peak = 0;
    let done = false;
    const probes = (async () => {
      const statuses: number[] = [];
      while (!done) {
        const answer = await fetch(`${address}${PROBES[statuses.length % PROBES.length]}`);
        await answer.arrayBuffer();
        statuses.push(answer.status);
        peak = Math.max(peak, service.memory);
      }
      return statuses;
    })();
    const callers = capacity * 6;
    const outcomes = await closedLoop({ url, requests, callers, until: ({ length }) => length >= 1500 });
    done = true;

    const counts = tally(outcomes);
    console.log(
      `${JSON.stringify(counts)}; memory ${settled.toFixed(0)} MiB before, peak ${peak.toFixed(0)}`,
    );
    expect(Object.keys(counts).sort()).toEqual(['200', '503 OVERLOADED']);
    expect(counts[200]).toBeGreaterThanOrEqual(capacity);
    expect(new Set(await probes)).toEqual(new Set([200]));
    expect(peak).toBeLessThan(settled + 150);

    expect(await requestsCounted(200)).toBe(warmUp.length + (counts[200] ?? 0));
    expect(await requestsCounted(503, 'OVERLOADED')).toBe(counts['503 OVERLOADED']);
    expect(await metric(address, 'face_images_admitted')).toBe(0);
    expect(await metric(address, 'face_inflight_body_bytes')).toBe(0);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('the health check of the container', () => {
  const runHealthcheck = async () => {
    const env = { PORT: new URL(address).port };
    const check = spawnChild(process.execPath, [join(ROOT, 'dist/cli/healthcheck.js')], {
      env,
      stdio: 'ignore',
    });
    const [code] = await once(check, 'exit');
    return code;
  };

  it('succeeds while every place is taken', async () => {
    const capacity = (await metric(address, 'face_images_capacity')) as number;
    const requests = [{ headers: { 'Content-Type': 'image/png' }, body: await slowPng() }];
    let done = false;
    const callers = closedLoop({
      url: `${address}/v1/embed`,
      requests,
      callers: capacity * 2,
      until: () => done,
    });
    await expect.poll(() => metric(address, 'face_images_admitted'), { interval: 5 }).toBe(capacity);
    // It waits for two seconds at most, so it may fail once on a busy machine.
    await expect.poll(runHealthcheck).toBe(0);
    done = true;
    expect(tally(await callers)).toHaveProperty('503 OVERLOADED');
  });
});
