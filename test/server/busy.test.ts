import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { metric } from '../support/http/metric.ts';
import { blobsPng, slowPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';

const PROBES = ['/livez', '/readyz', '/v1/health', '/metrics'];

let service: ServiceProcess;
let address: string;
beforeAll(async () => {
  service = new ServiceProcess({ WORKERS: '2', MAX_QUEUE: '60', MAX_BATCH_SIZE: '1' });
  address = await service.ready();
});
afterEach(() => expect.poll(() => metric(address, 'face_images_admitted')).toBe(0));
afterAll(() => service.end());

const embed = (
  body: Uint8Array<ArrayBuffer>,
  { query = '', signal }: { query?: string; signal?: AbortSignal } = {},
) =>
  fetch(`${address}/v1/embed${query}`, {
    method: 'POST',
    headers: { 'Content-Type': 'image/png' },
    body,
    ...(signal && { signal }),
  });

const compare = () =>
  fetch(`${address}/v1/compare`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"query_embedding": [1, 0], "reference_embeddings": [{"id": "a", "embedding": [1, 0]}]}',
  });

/** Of each path in turn. */
async function probe(): Promise<number[]> {
  const statuses = [];
  for (const path of PROBES) {
    const answer = await fetch(`${address}${path}`);
    await answer.arrayBuffer();
    statuses.push(answer.status);
  }
  return statuses;
}

describe('while every worker is busy', () => {
  it('probes and compares are answered before the images', async () => {
    const slow = await slowPng();
    const callers = new AbortController();
    let answered = 0;
    const images = Array.from({ length: 60 }, () =>
      embed(slow, { signal: callers.signal }).then(
        () => answered++,
        () => {},
      ),
    );
    await expect.poll(() => metric(address, 'face_images_processing'), { interval: 10 }).toBe(2);
    for (let round = 0; round < 5; round++) {
      expect(await probe()).toEqual([200, 200, 200, 200]);
      expect((await compare()).status).toBe(200);
    }
    expect(answered).toBeLessThan(images.length);
    callers.abort();
    await Promise.all(images);
  });

  it('no caller gets the answer of another', async () => {
    const pictures = await Promise.all(
      Array.from({ length: 6 }, (_, seed) => blobsPng(seed + 10, 200 + seed, 150)),
    );
    const ask = async (body: Uint8Array<ArrayBuffer>) =>
      (await embed(body, { query: '?encoding_format=base64' })).json();
    const inTurn = [];
    for (const picture of pictures) inTurn.push(await ask(picture));
    for (let round = 0; round < 5; round++) {
      expect(await Promise.all(pictures.map(ask))).toEqual(inTurn);
    }
  });
});
