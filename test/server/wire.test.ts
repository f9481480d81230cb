import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metric } from '../support/metric.ts';
import { blobsPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/service-process.ts';

let service: ServiceProcess;
let address: string;

beforeAll(async () => {
  service = new ServiceProcess({ MAX_IMAGE_SIZE: '1000000', MAX_REQUEST_SIZE: '1000000' });
  address = await service.ready();
});
afterAll(() => service.end());

const open = (onConnect?: () => void) => connect(Number(new URL(address).port), '127.0.0.1', onConnect);

/** Sends bytes over a bare connection; returns what comes back until the server closes it, or until all of `last` has come. */
function converse(parts: (string | Uint8Array)[], last?: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = open(() => {
      for (const part of parts) socket.write(part);
    });
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (last?.test(received)) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
  });
}

const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

describe('over a bare connection', () => {
  it.each([
    ['garbage', 'hello\r\n\r\n'],
    ['a malformed header', 'GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n'],
    ['a header of 70 kB', `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(70_000)}\r\n\r\n`],
    [
      'two lengths',
      'POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
    ],
  ])('%s is answered with a 400 like any other error', async (_name, text) => {
    const answer = await converse([text]);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('X-Content-Type-Options: nosniff');
    expect(bodyOf(answer)).toMatchObject({ error_code: 'INVALID_REQUEST', request_id: expect.any(String) });
  });

  it.each([
    ['a path that is not a URL', 'GET /%zz/\\..\\ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    ['an invalid host', 'GET /livez HTTP/1.1\r\nHost: a b@c\r\nConnection: close\r\n\r\n'],
    ['an unknown method', 'QUERY /v1/embed HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
  ])('%s is answered with a 4xx like any other error', async (_name, text) => {
    const answer = await converse([text]);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(bodyOf(answer)).toMatchObject({ error_code: expect.any(String), request_id: expect.any(String) });
  });

  it('a large upload is refused by its declared length, before it is sent', async () => {
    const head =
      'POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 500000000\r\n\r\n';
    const answer = await converse([head, new Uint8Array(1000)], /\}$/);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('IMAGE_TOO_LARGE');
  });

  it('a small refused upload leaves the connection usable', async () => {
    const refused =
      'POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello';
    const next = 'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const answer = await converse([refused, next]);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 415', 'HTTP/1.1 200']);
  });

  it('clients that hang up in the middle of an upload do no harm', async () => {
    const head =
      'POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 50000\r\n\r\nabc';
    for (let i = 0; i < 5; i++) {
      const socket = open(() => socket.write(head));
      await expect.poll(() => metric(address, 'face_images_admitted'), { interval: 10 }).toBe(1);
      socket.destroy();
      await expect.poll(() => metric(address, 'face_images_admitted'), { interval: 10 }).toBe(0);
    }
    const answer = await fetch(`${address}/v1/embed`, {
      method: 'POST',
      headers: { 'Content-Type': 'image/png' },
      body: await blobsPng(3),
    });
    expect(answer.status).toBe(200);
    expect(service.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});
