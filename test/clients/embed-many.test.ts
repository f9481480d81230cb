import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { FaceEmbeddingClient } from '../../clients/typescript/src/index.ts';
import {
  EMBEDDING,
  found,
  later,
  lines,
  refusal,
  scriptedClient,
} from '../support/clients/scripted-service.ts';
import { blankPng, blobsPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';

const collect = async <T>(results: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const result of results) all.push(result);
  return all;
};

describe('with a service', () => {
  let service: ServiceProcess;
  let url: string;
  let client: FaceEmbeddingClient;
  let pictures: Uint8Array<ArrayBuffer>[];
  let blank: Uint8Array<ArrayBuffer>;

  beforeAll(async () => {
    // embedMany begins with larger requests than this service takes.
    service = new ServiceProcess({ MAX_BATCH_SIZE: '3', MAX_QUEUE: '8' });
    url = await service.ready();
    client = new FaceEmbeddingClient({ url });
    pictures = await Promise.all([1, 2, 3, 4, 5, 6, 7].map((seed) => blobsPng(seed)));
    blank = await blankPng();
  });
  afterAll(() => service.end());

  it('gives each picture its own result, in the order of the pictures', async () => {
    const results = await collect(client.embedMany([...pictures, blank, '/no/such/file', ...pictures]));
    expect(results.map(({ index }) => index)).toEqual(results.map((_, index) => index));
    expect(results).toHaveLength(16);
    expect(results[7]?.error).toMatchObject({ code: 'NO_FACE_DETECTED', detail: '0 faces' });
    expect(results[8]?.error).toMatchObject({ code: 'UNREADABLE_IMAGE' });
    for (const [index, picture] of pictures.entries()) {
      const { embedding } = await client.embed(picture);
      for (const result of [results[index], results[index + 9]])
        expect(result).toMatchObject({ embedding, face_detected: true });
    }
  });

  it('gives the results as they are ready', async () => {
    const results = await collect(client.embedMany(pictures, { order: 'ready', batchSize: 2, faces: 'all' }));
    expect(results.map(({ index }) => index).sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    for (const result of results)
      expect(result).toHaveProperty(['faces', 0, 'embedding'], expect.any(Float32Array));
  });

  it('reads no more pictures than it needs, and stops with its reader', async () => {
    let read = 0;
    let isEnded = false;
    async function* endless() {
      try {
        for (;;) {
          read++;
          yield pictures[read % 7] as Uint8Array;
        }
      } finally {
        isEnded = true;
      }
    }
    for await (const { index } of client.embedMany(endless(), { batchSize: 2, concurrency: 1 }))
      if (index === 5) break;
    expect(read).toBeLessThan(20);
    expect(client.state).toMatchObject({ open: 0, waiting: 0 });
    await expect.poll(() => isEnded).toBe(true);
  });

  it('throws what would fail for every picture, and what its source throws', async () => {
    await expect(collect(client.embedMany(pictures, { min_quality: 3 }))).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
    const broken = (function* () {
      yield pictures[0] as Uint8Array;
      throw new Error('the source failed');
    })();
    await expect(collect(client.embedMany(broken))).rejects.toThrow('the source failed');
  });

  it('refuses options with which it would send nothing', async () => {
    for (const options of [{ batchSize: 0 }, { concurrency: 0 }, { batchSize: Number.NaN }])
      await expect(collect(client.embedMany(pictures, options))).rejects.toThrow(RangeError);
  });

  it('gives an error for a data URL that is malformed', async () => {
    const [bad, good] = await collect(
      client.embedMany(['data:image/png;base64,!', pictures[0] as Uint8Array]),
    );
    expect(bad?.error).toMatchObject({ code: 'UNREADABLE_IMAGE' });
    expect(good?.error).toBeUndefined();
  });
});

describe('with a service that fails in the middle', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  const PICTURES = [1, 2, 3, 4].map((byte) => new Uint8Array([byte]));
  const result = (index: number) => ({ index, embedding: EMBEDDING, face_detected: true });
  const failed = (index: number, code: string) => ({ index, error: 'A sentence.', error_code: code });
  const last = { done: true, model: {} };

  it('sends again only the pictures that an answer has left when it is cut off', async () => {
    const { client, requests, end } = scriptedClient(({ images }) =>
      requests.length === 1
        ? lines(result(2), result(0))
        : lines(...Array.from({ length: images }, (_, index) => result(index)), last),
    );
    const { value } = await end(collect(client.embedMany(PICTURES)));
    expect((value as { index: number }[]).map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(requests.slice(1).reduce((sum, { images }) => sum + images, 0)).toBe(2);
  });

  it('takes an answer that leaves pictures out for one that was cut off', async () => {
    const { client, requests, end } = scriptedClient(() => lines(last));
    const { at, value } = await end(collect(client.embedMany(PICTURES, { batchSize: 4, timeoutMs: 2_000 })));
    expect(value).toHaveLength(4);
    for (const { error } of value as { error: unknown }[])
      expect(error).toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(at).toBeGreaterThan(0);
    expect(requests.length).toBeLessThan(40);
  });

  it('sends again the pictures for which there was no room, and not those at fault', async () => {
    const { client, requests, end } = scriptedClient(({ images }) =>
      requests.length === 1
        ? lines(
            result(0),
            failed(1, 'OVERLOADED'),
            failed(2, 'INVALID_IMAGE'),
            failed(3, 'DEADLINE_EXCEEDED'),
            last,
          )
        : lines(...Array.from({ length: images }, (_, index) => result(index)), last),
    );
    const { value } = await end(collect(client.embedMany(PICTURES)));
    expect(value).toMatchObject([{}, {}, { error: { code: 'INVALID_IMAGE' } }, {}]);
    expect(requests.slice(1).reduce((sum, { images }) => sum + images, 0)).toBe(2);
  });

  it('sends less at a time to a service that refuses', async () => {
    const { client, requests, end } = scriptedClient(({ images }) =>
      images > 1 ? refusal(1) : lines(result(0), last),
    );
    const { error } = await end(collect(client.embedMany(PICTURES)));
    expect(error).toBeUndefined();
    expect(requests[0]?.images).toBe(4);
    expect(requests.at(-1)?.images).toBe(1);
  });

  it('sends single pictures however often it has to send them again', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { client, requests, end, now } = scriptedClient(({ body }) =>
      body instanceof FormData ? refusal('0.2') : later(20, found),
    );
    // Answers to others, or refusals would lower the number of pictures that the client sends at a time to one.
    const others = Array.from({ length: 10 }, async () => {
      while (now() < 9_000) await client.embed(PICTURES[0] as Uint8Array);
    });
    await end(collect(client.embedMany(PICTURES, { batchSize: 4, timeoutMs: 8_000 })));
    await end(Promise.all(others));
    const sent = requests.filter(({ body }) => body instanceof FormData).map(({ images }) => images);
    expect(sent.slice(0, 3)).toEqual([4, 2, 1]);
    expect(sent.length).toBeGreaterThan(34);
    expect(sent.slice(2, 36)).toEqual(sent.slice(2, 36).fill(1));
  });

  it('sends less at a time to a proxy that takes less, which says so in HTML', async () => {
    const { client, requests, end } = scriptedClient(({ images }) =>
      images > 1
        ? new Response('<h1>413 Request Entity Too Large</h1>', { status: 413 })
        : lines(result(0), last),
    );
    const { value, error } = await end(collect(client.embedMany(PICTURES)));
    expect(error).toBeUndefined();
    expect(value).toMatchObject(PICTURES.map((_, index) => ({ index, face_detected: true })));
    expect(requests.map(({ images }) => images)).toEqual([4, 2, 1, 1, 1, 1]);
  });

  it('gives an error for a picture that alone is too large for a proxy, and goes on', async () => {
    const { client, end } = scriptedClient(({ images, body }) => {
      const [first] = (body as FormData).getAll('image') as Blob[];
      return images > 1 || first?.size === 9
        ? new Response('<h1>413 Request Entity Too Large</h1>', { status: 413 })
        : lines(result(0), last);
    });
    const { value } = await end(collect(client.embedMany([new Uint8Array(9), ...PICTURES])));
    expect(value).toMatchObject([
      { index: 0, error: { code: 'UNEXPECTED_ANSWER', status: 413 } },
      ...PICTURES.map((_, index) => ({ index: index + 1, face_detected: true })),
    ]);
  });

  it('gives an error for each picture whose time is over', async () => {
    const { client, end } = scriptedClient(() => refusal(1));
    const { at, value } = await end(collect(client.embedMany(PICTURES, { timeoutMs: 3_000 })));
    expect(value).toMatchObject(PICTURES.map((_, index) => ({ index, error: { code: 'OVERLOADED' } })));
    expect(at).toBeLessThan(60_000);
  });

  it('throws the reason of its signal', async () => {
    const { client, end } = scriptedClient(() => refusal(1));
    const controller = new AbortController();
    const all = collect(client.embedMany(PICTURES, { signal: controller.signal }));
    setTimeout(() => controller.abort(new Error('enough')), 1_500);
    expect((await end(all)).error).toEqual(new Error('enough'));
    expect(client.state).toMatchObject({ open: 0, waiting: 0 });
  });

  it('does not wait for a source that gives nothing when it is aborted', async () => {
    const { client, end } = scriptedClient(() => lines(result(0), last));
    const camera = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
    const controller = new AbortController();
    const all = collect(client.embedMany(camera, { signal: controller.signal }));
    setTimeout(() => controller.abort(new Error('enough')), 100);
    expect((await end(all)).error).toEqual(new Error('enough'));
  });
});
