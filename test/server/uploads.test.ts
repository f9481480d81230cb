import { afterEach, describe, expect, it } from 'vitest';
import { ServiceError } from '../../src/errors.ts';
import { TinyEngine, testConfig, tinyAdmission, tinyAnswer } from '../support/engine/engines.ts';
import { HeldEngine } from '../support/engine/held-engine.ts';
import { metric } from '../support/http/metric.ts';
import { lastBody, RawConnection, statuses } from '../support/http/raw-connection.ts';
import { blobsPng } from '../support/pictures.ts';
import { listenWith } from '../support/processes/listening.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';

const MIB = 1024 * 1024;
const PROBES = ['/livez', '/readyz', '/v1/health', '/metrics'];

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function start(environment: Record<string, string>, engine: TinyEngine = answeringEngine()) {
  const service = await listenWith(testConfig({ MIN_UPLOAD_RATE: '0', ...environment }), engine);
  ending.push(service.close);
  return service;
}

const answeringEngine = () =>
  new TinyEngine({ phase: 'ready' }, () => tinyAdmission({ embed: async (image) => tinyAnswer(image) }));

function open(port: number): RawConnection {
  const connection = new RawConnection(port);
  ending.push(() => connection.close());
  return connection;
}

const head = (framing: string, path = '/v1/embed', type = 'image/png') =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\n${framing}\r\n\r\n`;

async function embed(url: string): Promise<number> {
  const init = { method: 'POST', headers: { 'Content-Type': 'image/png' }, body: new Uint8Array([1]) };
  const answer = await fetch(`${url}/v1/embed`, init);
  await answer.arrayBuffer();
  return answer.status;
}

const answered = (connection: RawConnection) =>
  expect.poll(() => statuses(connection.received).length, { interval: 5 });

describe('uploads that stall', () => {
  it('hold no place: all images are embedded that are there', async () => {
    const engine = new HeldEngine(2);
    const { port, url } = await start({}, engine);
    const stalled = Array.from({ length: 20 }, () => open(port));
    for (const one of stalled) await one.write(`${head('Content-Length: 1000')}a`);
    await expect.poll(() => metric(url, 'face_uploads'), { interval: 5 }).toBe(20);
    expect(engine.places.taken).toBe(0);
    const embedded = [embed(url), embed(url)];
    await expect.poll(() => engine.held.length, { interval: 5 }).toBe(2);
    engine.finish();
    expect(await Promise.all(embedded)).toEqual([200, 200]);
  });

  it('are refused below MIN_UPLOAD_RATE, while a slow one above it goes on', async () => {
    const { port, url } = await start({ MIN_UPLOAD_RATE: '1000' });
    const [stalled, slow] = [open(port), open(port)];
    await stalled.write(`${head('Content-Length: 60000')}a`);
    await slow.write(`${head('Content-Length: 60000')}${'a'.repeat(50_000)}`);
    await answered(stalled).toBe(1);
    expect(lastBody(stalled.received)).toMatchObject({
      error_code: 'INVALID_REQUEST',
      detail: 'The body came at less than 1000 bytes a second.',
    });
    expect(await metric(url, 'face_uploads')).toBe(1);
    await slow.write('a'.repeat(10_000));
    await answered(slow).toBe(1);
    expect(statuses(slow.received)).toEqual([200]);
  });

  it('are at most MAX_UPLOADS, and one that ends makes room', async () => {
    const { port, url } = await start({ MAX_UPLOADS: '3' });
    const stalled = Array.from({ length: 3 }, () => open(port));
    for (const one of stalled) await one.write(`${head('Content-Length: 3')}a`);
    await expect.poll(() => metric(url, 'face_uploads'), { interval: 5 }).toBe(3);
    const refused = open(port);
    await refused.write(`${head('Content-Length: 3')}abc`);
    await answered(refused).toBe(1);
    expect(refused.received).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nretry-after: 1\r\n/i);
    expect(lastBody(refused.received)).toMatchObject({ error_code: 'OVERLOADED' });
    expect(await metric(url, 'face_http_rejected_total{reason="uploads"}')).toBe(1);
    stalled[0]?.close();
    await expect.poll(() => metric(url, 'face_uploads'), { interval: 5 }).toBe(2);
    expect(await embed(url)).toBe(200);
  });

  it('that are hung up leave nothing behind', async () => {
    const { port, url, bodies } = await start({});
    for (let round = 0; round < 5; round++) {
      const connection = open(port);
      await connection.write(`${head('Content-Length: 50000')}abc`);
      await expect.poll(() => metric(url, 'face_uploads'), { interval: 5 }).toBe(1);
      connection.close();
      await expect.poll(() => metric(url, 'face_uploads'), { interval: 5 }).toBe(0);
      expect(bodies.taken).toBe(0);
    }
    expect(await embed(url)).toBe(200);
    expect(await metric(url, 'face_http_rejected_total{reason="client_gone"}')).toBe(5);
  });
});

describe('while every place is taken', () => {
  it('a caller who hangs up after the refusal, in the middle of its image, counts as one request', async () => {
    const full = new TinyEngine({ phase: 'ready' }, () => {
      throw new ServiceError('OVERLOADED');
    });
    const { port, url } = await start({}, full);
    for (const framing of ['Content-Length: 1000', 'Transfer-Encoding: chunked']) {
      const refused = open(port);
      await refused.write(head(framing));
      await answered(refused).toBe(1);
      refused.socket.end();
      expect(statuses(await refused.untilClosed())).toEqual([503]);
    }
    const count = (route: string, status: number, code: string) =>
      metric(url, `face_http_requests_total{route="${route}",status="${status}",error_code="${code}"}`);
    expect(await count('/v1/embed', 503, 'OVERLOADED')).toBe(2);
    expect(await count('unmatched', 400, 'INVALID_REQUEST')).toBe(0);
  });

  it('images are refused before they are read, other requests are answered, and the accepted images too', async () => {
    const engine = new HeldEngine(4);
    const { port, url } = await start({}, engine);
    const accepted = Array.from({ length: 4 }, () => embed(url));
    await expect.poll(() => engine.held.length, { interval: 5 }).toBe(4);
    const refused = open(port);
    // Its body never comes.
    await refused.write(head('Content-Length: 1000'));
    await answered(refused).toBe(1);
    expect(refused.received).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nretry-after: 1\r\n/i);
    expect(lastBody(refused.received)).toMatchObject({ error_code: 'OVERLOADED' });
    for (const path of PROBES) expect((await fetch(url + path)).status).toBe(200);
    const compared = await fetch(`${url}/v1/compare`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"query_embedding": [1, 0], "reference_embeddings": [{"id": "a", "embedding": [1, 0]}]}',
    });
    expect(compared.status).toBe(200);
    engine.finish();
    expect(await Promise.all(accepted)).toEqual([200, 200, 200, 200]);
    expect(engine.places.taken).toBe(0);
  });

  it('an image that was read meanwhile is refused, too', async () => {
    const engine = new HeldEngine(1);
    const { port, url } = await start({}, engine);
    const late = open(port);
    await late.write(`${head('Content-Length: 2')}a`);
    await expect.poll(() => metric(url, 'face_uploads'), { interval: 5 }).toBe(1);
    const first = embed(url);
    await expect.poll(() => engine.held.length, { interval: 5 }).toBe(1);
    await late.write('b');
    await answered(late).toBe(1);
    expect(lastBody(late.received)).toMatchObject({ error_code: 'OVERLOADED' });
    engine.finish();
    expect(await first).toBe(200);
  });
});

describe('a body that is refused by its head', () => {
  it('is refused by its declared length, before it is sent', async () => {
    const { port } = await start({ MAX_IMAGE_SIZE: '1000000', MAX_REQUEST_SIZE: '1000000' });
    const connection = open(port);
    await connection.write(head('Content-Length: 500000000'));
    await connection.write(new Uint8Array(1000));
    await answered(connection).toBe(1);
    expect(lastBody(connection.received)).toMatchObject({ error_code: 'IMAGE_TOO_LARGE' });
  });

  it('leaves the connection usable, if it is small', async () => {
    const { port } = await start({});
    const connection = open(port);
    await connection.write(`${head('Content-Length: 5', '/v1/embed', 'text/plain')}hello`);
    await connection.write('GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(statuses(await connection.untilClosed())).toEqual([415, 200]);
  });

  it.each([
    ['of a declared length', 'Content-Length: 90000000000', (block: Buffer) => block],
    [
      'in chunks',
      'Transfer-Encoding: chunked',
      (block: Buffer) =>
        Buffer.concat([Buffer.from(`${block.length.toString(16)}\r\n`), block, Buffer.from('\r\n')]),
    ],
  ])('%s is read on, for at most 64 MiB', async (_name, framing, encode) => {
    const { port } = await start({});
    const connection = open(port);
    await connection.write(head(framing, '/nowhere'));
    const block = encode(Buffer.alloc(MIB));
    let blocks = 0;
    while (await connection.write(block)) blocks++;
    expect(statuses(connection.received)).toEqual([404]);
    // More than the two ends buffer. On a busy machine the limit of three seconds may come before that of bytes.
    expect(blocks).toBeGreaterThan(32);
    expect(blocks).toBeLessThan(64 + 32);
  });

  it('reaches a client that closes its connection after the answer, and writes all before it reads', async () => {
    const { port } = await start({ MAX_IMAGE_SIZE: '1000000', MAX_REQUEST_SIZE: '1000000' });
    for (let round = 0; round < 10; round++) {
      const connection = open(port);
      connection.stall();
      const body = Buffer.alloc(8 * MIB);
      expect(await connection.write(head(`Connection: close\r\nContent-Length: ${body.length}`))).toBe(true);
      expect(await connection.write(body)).toBe(true);
      connection.socket.resume();
      const received = await connection.untilClosed();
      expect(statuses(received)).toEqual([413]);
      expect(lastBody(received)).toMatchObject({ error_code: 'IMAGE_TOO_LARGE' });
    }
  });
});

describe('Expect: 100-continue', () => {
  const KEY = 'correct-horse-battery-staple';
  const expecting = (framing: string, path?: string, type?: string) =>
    head(`Expect: 100-continue\r\n${framing}`, path, type);

  it('invites a body that is wanted, and answers', async () => {
    const { port } = await start({});
    const connection = open(port);
    await connection.write(expecting('Content-Length: 1'));
    await answered(connection).toBe(1);
    expect(connection.received).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    await connection.write('a');
    await answered(connection).toBe(2);
    expect(statuses(connection.received)).toEqual([100, 200]);
    // The connection is kept.
    await connection.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    await answered(connection).toBe(3);
  });

  it.each([
    ['without a key', '', 401, 'UNAUTHORIZED'],
    ['with a wrong key', 'X-API-Key: wrong-horse-battery-staple\r\n', 401, 'UNAUTHORIZED'],
    ['with an option that is unknown', `X-API-Key: ${KEY}\r\n`, 400, 'INVALID_REQUEST', '/v1/embed?x=1'],
    ['at an unknown path', '', 404, 'NOT_FOUND', '/nowhere'],
    ['at a path without the method', '', 405, 'METHOD_NOT_ALLOWED', '/livez'],
    [
      'with a length that is too large',
      `X-API-Key: ${KEY}\r\n`,
      413,
      'IMAGE_TOO_LARGE',
      '/v1/embed',
      900_000_000,
    ],
    ['with another media type', `X-API-Key: ${KEY}\r\n`, 415, 'UNSUPPORTED_MEDIA_TYPE', '/v1/compare'],
    ['with more bytes than may be held', `X-API-Key: ${KEY}\r\n`, 503, 'OVERLOADED', '/v1/embed', 9_000_000],
  ])(
    '%s is answered by the final error, and the connection closed',
    async (_name, key, status, code, path = '/v1/embed', length = 5_000) => {
      const { port } = await start({ API_KEYS: `a=${KEY}`, MAX_INFLIGHT_BYTES: '5000000' });
      const connection = open(port);
      await connection.write(expecting(`${key}Content-Length: ${length}`, path));
      const received = await connection.untilClosed();
      expect(statuses(received)).toEqual([status]);
      expect(received).toMatch(/\r\nconnection: close\r\n/i);
      expect(lastBody(received)).toMatchObject({ error_code: code });
    },
  );

  it('is answered by the final error while every place is taken', async () => {
    const engine = new HeldEngine(1);
    const { port, url } = await start({}, engine);
    const accepted = embed(url);
    await expect.poll(() => engine.held.length, { interval: 5 }).toBe(1);
    const connection = open(port);
    await connection.write(expecting('Content-Length: 5000'));
    expect(statuses(await connection.untilClosed())).toEqual([503]);
    engine.finish();
    expect(await accepted).toBe(200);
  });
});

describe('a body in 400,000 chunks of one byte', () => {
  it('takes little more memory than its bytes, in every transport', async () => {
    const service = new ServiceProcess({ MALLOC_ARENA_MAX: '2' });
    ending.push(() => service.end());
    const address = await service.ready();
    await fetch(`${address}/v1/embed`, {
      method: 'POST',
      headers: { 'Content-Type': 'image/png' },
      body: await blobsPng(1),
    });
    const before = service.memory;
    let peak = before;
    const block = '1\r\nx\r\n'.repeat(20_000);
    for (const [type, path] of [
      ['image/png', '/v1/embed'],
      ['application/json', '/v1/compare'],
      ['multipart/form-data; boundary=x', '/v1/embed'],
    ] as const) {
      const connection = open(Number(new URL(address).port));
      await connection.write(head('Transfer-Encoding: chunked', path, type));
      for (let sent = 0; sent < 400_000; sent += 20_000) {
        await connection.write(block);
        peak = Math.max(peak, service.memory);
        expect(await metric(address, 'face_inflight_body_bytes')).toBeLessThan(MIB);
      }
      await connection.write('0\r\n\r\n');
      await answered(connection).toBe(1);
      // The bytes are neither an image nor JSON nor a form.
      expect(Math.floor((statuses(connection.received)[0] ?? 0) / 100)).toBe(4);
      peak = Math.max(peak, service.memory);
    }
    console.log(`memory: ${before.toFixed(0)} MiB before, peak ${peak.toFixed(0)}`);
    expect(peak).toBeLessThan(before + 60);
  });
});
