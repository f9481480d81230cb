import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { metric } from '../support/http/metric.ts';
import { blobsPng, slowPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';

const MIB = 1024 * 1024;

let service: ServiceProcess;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await service.end();
});

function open(address: string, text: string): Socket & { received: string } {
  const socket = Object.assign(connect(Number(new URL(address).port), '127.0.0.1'), { received: '' });
  socket.on('data', (chunk) => {
    socket.received += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.write(text);
  sockets.push(socket);
  return socket;
}

const upload = (length: number) =>
  `POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: ${length}\r\n\r\n`;

const embed = (address: string, body: Uint8Array<ArrayBuffer>, signal?: AbortSignal) =>
  fetch(`${address}/v1/embed`, {
    method: 'POST',
    headers: { 'Content-Type': 'image/png' },
    body,
    ...(signal && { signal }),
  });

describe('a thousand clients that each upload 10 MiB slowly', () => {
  it('hold no more than MAX_INFLIGHT_BYTES, are refused or timed out, and leave the service usable', async () => {
    service = new ServiceProcess({
      MAX_QUEUE: '2000',
      MAX_INFLIGHT_BYTES: String(64 * MIB),
      BODY_TIMEOUT_MS: '4000',
      MALLOC_ARENA_MAX: '2',
    });
    const address = await service.ready();
    const before = service.memory;
    let peak = before;
    const slow = Array.from({ length: 1000 }, () => open(address, upload(10 * MIB)));
    while (slow.some(({ received }) => received === '')) {
      for (const socket of slow) if (socket.writable) socket.write(Buffer.alloc(4096));
      expect(await metric(address, 'face_inflight_body_bytes')).toBeLessThanOrEqual(64 * MIB);
      expect((await fetch(`${address}/readyz`)).status).toBe(200);
      peak = Math.max(peak, service.memory);
      await sleep(100);
    }
    // Six fit into the limit, and more only when the first have timed out.
    const refused = slow.filter(
      ({ received }) => received.startsWith('HTTP/1.1 503 ') && received.includes('"OVERLOADED"'),
    );
    const timedOut = slow.filter(
      ({ received }) =>
        received.startsWith('HTTP/1.1 400 ') && received.includes('did not arrive within 4000 ms'),
    );
    expect(timedOut.length).toBeGreaterThanOrEqual(6);
    expect(refused.length).toBeGreaterThan(500);
    expect(refused.length + timedOut.length).toBe(1000);
    await expect.poll(() => metric(address, 'face_inflight_body_bytes')).toBe(0);
    expect((await embed(address, await blobsPng(1))).status).toBe(200);
    console.log(`memory: ${before.toFixed(0)} MiB before, peak ${peak.toFixed(0)} with 1,000 slow clients`);
    expect(peak).toBeLessThan(before + 64 + 60);
  });
});

describe('connections on which nothing arrives', () => {
  it('are closed after HEADERS_TIMEOUT_MS in a request, and after KEEP_ALIVE_TIMEOUT_MS between two', async () => {
    service = new ServiceProcess({ HEADERS_TIMEOUT_MS: '5000', KEEP_ALIVE_TIMEOUT_MS: '1500' });
    const address = await service.ready();
    const started = performance.now();
    const closed = async (socket: Socket) => {
      await once(socket, 'close');
      return performance.now() - started;
    };
    const halfHeader = open(address, 'GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    const idle = open(address, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    const [headerTime, idleTime] = await Promise.all([closed(halfHeader), closed(idle)]);
    expect(halfHeader.received).toMatch(/^HTTP\/1\.1 400 [\s\S]*"INVALID_REQUEST"/);
    expect(headerTime).toBeGreaterThan(4500);
    expect(idle.received).toMatch(/^HTTP\/1\.1 200 /);
    expect(idleTime).toBeGreaterThan(1000);
  });
});

describe('callers that hang up while they wait', () => {
  it('give their places back', async () => {
    service = new ServiceProcess({ MAX_QUEUE: '40' });
    const address = await service.ready();
    const slow = await slowPng();
    const callers = new AbortController();
    const calls = Array.from({ length: 40 }, () => embed(address, slow, callers.signal).catch(() => {}));
    await expect
      .poll(() => metric(address, 'face_images_queued'), { interval: 10 })
      .toBeGreaterThanOrEqual(10);
    callers.abort();
    await expect.poll(() => metric(address, 'face_images_queued')).toBe(0);
    await expect.poll(() => metric(address, 'face_images_admitted')).toBe(0);
    await expect.poll(() => metric(address, 'face_inflight_body_bytes')).toBe(0);
    expect(await metric(address, 'face_http_rejected_total{reason="client_gone"}')).toBeGreaterThan(0);
    expect((await embed(address, await blobsPng(1))).status).toBe(200);
    await Promise.all(calls);
  });
});

describe('an answer given before the body has arrived', () => {
  it('reaches a client that writes all before it reads, and leaves the connection usable', async () => {
    service = new ServiceProcess({ MAX_IMAGE_SIZE: '1000000', MAX_REQUEST_SIZE: '1000000' });
    const address = await service.ready();
    const body = Buffer.alloc(8 * MIB, 1);
    for (let i = 0; i < 20; i++) {
      const socket = open(address, upload(body.length));
      socket.pause();
      await new Promise<void>((resolve) => socket.write(body, () => resolve()));
      socket.resume();
      await expect.poll(() => socket.received, { interval: 10 }).toMatch(/^HTTP\/1\.1 413 /);
      socket.received = '';
      socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
      await expect.poll(() => socket.received, { interval: 10 }).toMatch(/^HTTP\/1\.1 200 /);
      socket.destroy();
    }
  });

  it('does not keep the connection open for a body that never comes', async () => {
    service = new ServiceProcess({ MAX_IMAGE_SIZE: '1000000', MAX_REQUEST_SIZE: '1000000' });
    const socket = open(await service.ready(), upload(100 * MIB));
    await once(socket, 'close');
    expect(socket.received).toMatch(/^HTTP\/1\.1 413 /);
  });
});
