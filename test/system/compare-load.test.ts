import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareBody } from '../support/http/compare-body.ts';
import { metric } from '../support/http/metric.ts';
import { slowPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';

let service: ServiceProcess;
let address: string;
beforeAll(async () => {
  service = new ServiceProcess({ WORKERS: '2' });
  address = await service.ready();
});
afterAll(() => service.end());

async function compare(body: string): Promise<void> {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(`${address}/v1/compare`, { method: 'POST', headers, body });
  expect(answer.status).toBe(200);
  expect(((await answer.json()) as { matches: unknown[] }).matches).toHaveLength(10);
}

describe('comparing with thousands of references', () => {
  it('ranks 10,000 references in base64', async () => {
    await compare(compareBody(10_000, 'base64'));
  });

  it('answers, and keeps no probe waiting, while images queue for every worker', async () => {
    const body = compareBody(1000, 'float');
    const slow = await slowPng();
    const callers = new AbortController();
    let embedded = 0;
    const images = Array.from({ length: 40 }, () =>
      fetch(`${address}/v1/embed`, {
        method: 'POST',
        headers: { 'Content-Type': 'image/png' },
        body: slow,
        signal: callers.signal,
      }).then(
        () => embedded++,
        () => {},
      ),
    );
    await expect.poll(() => metric(address, 'face_images_processing'), { interval: 10 }).toBe(2);
    for (let i = 0; i < 3; i++) {
      await compare(body);
      expect((await fetch(`${address}/livez`)).status).toBe(200);
    }
    expect(embedded).toBeLessThan(images.length);
    callers.abort();
    await Promise.all(images);
  });
});
