import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { listen } from '../../src/http/server.ts';
import { testConfig } from '../support/engines.ts';
import { metric } from '../support/metric.ts';
import { blobs } from '../support/pictures.ts';
import { ServiceProcess } from '../support/service-process.ts';

describe('an answer line by line, over a connection that is kept', () => {
  let service: ServiceProcess;
  const agent = new Agent({ keepAlive: true });
  afterEach(async () => {
    service.kill('SIGKILL');
    await service.exit;
    agent.destroy();
  });

  /** A batch that takes a while, and its answer as soon as that has begun. */
  async function begin(address: string, images: number) {
    const image = (await blobs(1, 1600, 1200).jpeg().toBuffer()).toString('base64');
    const call = request(`${address}/v1/embed`, {
      method: 'POST',
      agent,
      headers: { 'Content-Type': 'application/json', Accept: 'application/x-ndjson' },
    }).end(JSON.stringify({ images: Array(images).fill(image) }));
    call.on('error', () => {});
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    response.on('error', () => {});
    const lines = createInterface({ input: response })[Symbol.asyncIterator]();
    return { response, next: async () => JSON.parse((await lines.next()).value ?? 'null') };
  }

  it('is finished when the process is told to end, which then is not kept waiting', async () => {
    service = new ServiceProcess();
    const { next } = await begin(await service.ready(), 12);
    expect(await next()).toMatchObject({ index: 0 });
    service.kill('SIGTERM');
    for (let index = 1; index < 12; index++) expect(await next()).toMatchObject({ index });
    expect(await next()).toMatchObject({ done: true });
    const ended = performance.now();
    expect(await service.exit).toEqual({ code: 0, signal: null });
    expect(performance.now() - ended).toBeLessThan(2000);
    const line = service.log.find(({ route }) => route === '/v1/embed');
    expect(line).toMatchObject({ status: 200, images: 12, faces: 12 });
  });

  it('is given up when its caller hangs up', async () => {
    service = new ServiceProcess();
    const address = await service.ready();
    const { response, next } = await begin(address, 60);
    expect(await next()).toMatchObject({ index: 0 });
    expect(await metric(address, 'face_images_admitted')).toBe(60);
    response.destroy();
    await expect.poll(() => metric(address, 'face_images_admitted'), { interval: 10 }).toBe(0);
    const line = service.log.find(({ route }) => route === '/v1/embed');
    expect(line).toMatchObject({ status: 499, rejection: 'client_gone' });
    expect(Number(line?.images)).toBeLessThan(30);
    expect(await metric(address, 'face_http_requests_in_flight')).toBe(1);
    expect(await metric(address, 'face_inflight_body_bytes')).toBe(0);
  });
});

describe('a caller who takes nothing of its answer', () => {
  /** Asks and reads nothing; returns after how many milliseconds the server is rid of the connection. */
  async function askAndStall(answer: () => ReadableStream | Uint8Array<ArrayBuffer>): Promise<number> {
    let asked = () => {};
    const begun = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const fetch = async () => {
      asked();
      return new Response(answer());
    };
    const server = await listen({ fetch }, { host: '127.0.0.1', port: 0, setting: 'PORT' }, config);
    const socket = connect(server.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
    socket.pause();
    socket.on('error', () => {});
    await begun;
    const started = performance.now();
    await server.close();
    socket.destroy();
    return performance.now() - started;
  }

  const config = testConfig({ BODY_TIMEOUT_MS: '250' });

  it('is cut off after BODY_TIMEOUT_MS', async () => {
    let made = 0;
    const endless = () =>
      new ReadableStream({
        pull(controller) {
          made++;
          controller.enqueue(new Uint8Array(100_000));
        },
      });
    expect(await askAndStall(endless)).toBeGreaterThan(200);
    // What the two ends of a connection hold, and no more.
    expect(made).toBeLessThan(1000);
  });

  it('is cut off when the answer is in one piece, too', async () => {
    expect(await askAndStall(() => new Uint8Array(50_000_000))).toBeGreaterThan(200);
  });

  it('is not while the answer is still being made', async () => {
    const late = () =>
      new ReadableStream({
        async start(controller) {
          await new Promise((resolve) => setTimeout(resolve, 700));
          controller.enqueue(new Uint8Array(50_000_000));
        },
      });
    expect(await askAndStall(late)).toBeGreaterThan(900);
  });
});
