import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobsPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/service-process.ts';

let service: ServiceProcess;
let port: number;

beforeAll(async () => {
  service = new ServiceProcess({ MAX_IMAGE_SIZE: '1000000', MAX_REQUEST_SIZE: '1000000' });
  port = Number(new URL(await service.ready()).port);
});
afterAll(async () => {
  service.kill('SIGTERM');
  await service.exit;
});

/** Sends bytes over a bare connection and returns all that comes back until it is closed or quiet. */
function converse(...parts: (string | Uint8Array)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      for (const part of parts) socket.write(part);
    });
    let received = '';
    socket.setTimeout(1500, () => socket.destroy());
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
  });
}

const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

describe('over a bare connection', () => {
  it.each([
    ['garbage', 'hello\r\n\r\n'],
    ['a broken header', 'GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n'],
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(70_000)}\r\n\r\n`],
    [
      'two lengths',
      'POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
    ],
  ])('%s is answered in the one error shape', async (_name, text) => {
    const answer = await converse(text);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('X-Content-Type-Options: nosniff');
    expect(bodyOf(answer)).toMatchObject({ error_code: 'INVALID_REQUEST', request_id: expect.any(String) });
  });

  it.each([
    ['a path that is no URL', 'GET /%zz/\\..\\ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    ['a host that is none', 'GET /livez HTTP/1.1\r\nHost: a b@c\r\nConnection: close\r\n\r\n'],
    ['an unknown method', 'QUERY /v1/embed HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
  ])('%s is a 4xx in the one error shape', async (_name, text) => {
    const answer = await converse(text);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(bodyOf(answer)).toMatchObject({ error_code: expect.any(String), request_id: expect.any(String) });
  });

  it('a large upload is refused by its declared length, before it is sent', async () => {
    const started = performance.now();
    const answer = await converse(
      'POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 500000000\r\n\r\n',
      new Uint8Array(1000),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('IMAGE_TOO_LARGE');
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it('a small refused upload leaves the connection usable', async () => {
    const refused =
      'POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello';
    const answer = await converse(refused, 'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 415', 'HTTP/1.1 200']);
  });

  it('a client that hangs up in mid-upload harms nobody', async () => {
    for (let i = 0; i < 5; i++) {
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.write(
            'POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 50000\r\n\r\nabc',
          );
          setTimeout(() => {
            socket.destroy();
            resolve();
          }, 20);
        });
      });
    }
    const answer = await fetch(`http://127.0.0.1:${port}/v1/embed`, {
      method: 'POST',
      headers: { 'Content-Type': 'image/png' },
      body: await blobsPng(3),
    });
    expect(answer.status).toBe(200);
    expect(service.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});
