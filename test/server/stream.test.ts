import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { listen } from '../../src/http/server.ts';
import { silentLog, testConfig } from '../support/engine/engines.ts';
import { metric } from '../support/http/metric.ts';
import { blobsPng, slowPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';

const AN_HOUR_MS = 3_600_000;
const AN_HOUR = String(AN_HOUR_MS);

describe('an answer line by line, over a connection that is kept', () => {
  let service: ServiceProcess;
  const agent = new Agent({ keepAlive: true });
  afterEach(async () => {
    await service.end();
    agent.destroy();
  });

  /** Sends a batch of equal images; returns its answer as soon as that has begun. */
  async function begin(address: string, images: number, image: Uint8Array) {
    const call = request(`${address}/v1/embed`, {
      method: 'POST',
      agent,
      headers: { 'Content-Type': 'application/json', Accept: 'application/x-ndjson' },
    }).end(JSON.stringify({ images: Array(images).fill(Buffer.from(image).toString('base64')) }));
    call.on('error', () => {});
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    response.on('error', () => {});
    const lines = createInterface({ input: response })[Symbol.asyncIterator]();
    return { response, next: async () => JSON.parse((await lines.next()).value ?? 'null') };
  }

  it('is finished after SIGTERM, and the process then ends without waiting for the connection', async () => {
    service = new ServiceProcess({ KEEP_ALIVE_TIMEOUT_MS: AN_HOUR, SHUTDOWN_GRACE_MS: AN_HOUR });
    const { next } = await begin(await service.ready(), 12, await blobsPng(1, 800, 600));
    expect(await next()).toMatchObject({ index: 0 });
    service.kill('SIGTERM');
    for (let index = 1; index < 12; index++) expect(await next()).toMatchObject({ index });
    expect(await next()).toMatchObject({ done: true });
    expect(await service.exit).toEqual({ code: 0, signal: null });
    const line = service.log.find(({ route }) => route === '/v1/embed');
    expect(line).toMatchObject({ status: 200, images: 12, faces: 12 });
  });

  it('is abandoned when its caller hangs up', async () => {
    service = new ServiceProcess();
    const address = await service.ready();
    // The caller hangs up long before the end.
    const { response, next } = await begin(address, 60, await slowPng());
    expect(await next()).toMatchObject({ index: 0 });
    expect(await metric(address, 'face_images_admitted')).toBe(60);
    response.destroy();
    await expect.poll(() => metric(address, 'face_images_admitted')).toBe(0);
    const line = service.log.find(({ route }) => route === '/v1/embed');
    expect(line).toMatchObject({ status: 499, rejection: 'client_gone' });
    expect(Number(line?.images)).toBeLessThan(60);
    expect(await metric(address, 'face_http_requests_in_flight')).toBe(1);
    expect(await metric(address, 'face_inflight_body_bytes')).toBe(0);
  });
});

describe('a client that reads nothing of its answer', () => {
  const BODY_TIMEOUT_MS = 250;
  const config = testConfig({ BODY_TIMEOUT_MS: String(BODY_TIMEOUT_MS) });

  /** Sends a request and reads nothing; returns after how many milliseconds the server closes the connection. */
  async function askAndStall(answer: () => ReadableStream | Uint8Array<ArrayBuffer>): Promise<number> {
    let started = 0;
    let onRequest = () => {};
    const requested = new Promise<void>((resolve) => {
      onRequest = resolve;
    });
    const fetch = async () => {
      started = performance.now();
      onRequest();
      return new Response(answer());
    };
    const address = { host: '127.0.0.1', port: 0, setting: 'PORT' } as const;
    const server = await listen({ fetch }, address, { config, observers: [], log: silentLog });
    const socket = connect(server.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
    socket.pause();
    socket.on('error', () => {});
    await requested;
    await server.close(AN_HOUR_MS);
    socket.destroy();
    return performance.now() - started;
  }

  it('is disconnected after BODY_TIMEOUT_MS', async () => {
    let made = 0;
    const endless = () =>
      new ReadableStream({
        pull(controller) {
          made++;
          controller.enqueue(new Uint8Array(100_000));
        },
      });
    expect(await askAndStall(endless)).toBeGreaterThan(BODY_TIMEOUT_MS - 50);
    // What the two ends of a connection buffer, and no more.
    expect(made).toBeLessThan(1000);
  });

  it('is disconnected when the answer is in one piece, too', async () => {
    expect(await askAndStall(() => new Uint8Array(50_000_000))).toBeGreaterThan(BODY_TIMEOUT_MS - 50);
  });

  it('is not disconnected while the answer is still being made', async () => {
    const late = () =>
      new ReadableStream({
        async start(controller) {
          await sleep(2 * BODY_TIMEOUT_MS);
          controller.enqueue(new Uint8Array(50_000_000));
        },
      });
    expect(await askAndStall(late)).toBeGreaterThan(3 * BODY_TIMEOUT_MS - 50);
  });
});
