import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../support/load.ts';
import { quantile } from '../support/numbers.ts';
import { blobsPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/service-process.ts';

let service: ServiceProcess;
let address: string;
let picture: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  service = new ServiceProcess({ WORKERS: '2', MAX_QUEUE: '8', REQUEST_TIMEOUT_MS: '5000' });
  address = await service.ready();
  picture = await blobsPng(1, 1600, 1200);
});
afterAll(async () => {
  service.kill('SIGTERM');
  await service.exit;
});

const embed = () =>
  fetch(`${address}/v1/embed`, { method: 'POST', headers: { 'Content-Type': 'image/png' }, body: picture });

describe('while every worker is busy', () => {
  it('the probes answer in milliseconds, and what does not fit is refused at once', async () => {
    let busy = true;
    const statuses: number[] = [];
    const callers = Array.from({ length: 20 }, async () => {
      while (busy) {
        const answer = await embed();
        statuses.push(answer.status);
        const body = (await answer.json()) as { error_code?: string };
        if (answer.status !== 200) {
          expect(body.error_code).toBe('OVERLOADED');
          expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const probes = await probe(address, 200, ['/livez', '/readyz', '/v1/health']);
    const latencies = probes.map(({ ms }) => ms);
    busy = false;
    await Promise.all(callers);
    expect(new Set(probes.map(({ status }) => status))).toEqual(new Set([200]));
    latencies.sort((a, b) => a - b);
    const count = (status: number) => statuses.filter((one) => one === status).length;
    console.log(
      `probes under load: median ${quantile(latencies, 0.5).toFixed(1)} ms, p95 ${quantile(latencies, 0.95).toFixed(1)} ms; ` +
        `${count(200)} embedded, ${count(503)} refused`,
    );
    // One inference takes longer than this: a probe that had to wait for one would not pass.
    expect(quantile(latencies, 0.5)).toBeLessThan(15);
    expect(count(200)).toBeGreaterThan(10);
    expect(count(503)).toBeGreaterThan(0);
    expect(count(200) + count(503)).toBe(statuses.length);
  });

  it('no caller gets another’s answer', async () => {
    const pictures = await Promise.all(
      Array.from({ length: 6 }, (_, seed) => blobsPng(seed + 10, 200 + seed, 150)),
    );
    const ask = async (body: Uint8Array<ArrayBuffer>) => {
      const answer = await fetch(`${address}/v1/embed?encoding_format=base64`, {
        method: 'POST',
        headers: { 'Content-Type': 'image/png' },
        body,
      });
      return answer.json();
    };
    const alone = [];
    for (const one of pictures) alone.push(await ask(one));
    for (let round = 0; round < 5; round++) {
      expect(await Promise.all(pictures.map(ask))).toEqual(alone);
    }
  });
});
