import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { metric } from '../support/metric.ts';
import { blobsPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/service-process.ts';

const MIB = 1024 * 1024;

let service: ServiceProcess;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  service.kill('SIGKILL');
  await service.exit;
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

const upload = (type: string, length: number) =>
  `POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`;

const embed = (address: string, body: Uint8Array<ArrayBuffer>) =>
  fetch(`${address}/v1/embed`, { method: 'POST', headers: { 'Content-Type': 'image/png' }, body });

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a thousand callers that each send 10 MiB slowly', () => {
  it('hold no more than MAX_INFLIGHT_BYTES, are refused or given up, and the service is well afterwards', async () => {
    service = new ServiceProcess({
      MAX_QUEUE: '2000',
      MAX_INFLIGHT_BYTES: String(64 * MIB),
      BODY_TIMEOUT_MS: '4000',
      MALLOC_ARENA_MAX: '2',
    });
    const address = await service.ready();
    const before = service.memory;
    const slow = Array.from({ length: 1000 }, () => open(address, upload('image/png', 10 * MIB)));
    let peak = 0;
    for (let i = 0; i < 30; i++) {
      for (const socket of slow) if (socket.writable) socket.write(Buffer.alloc(4096));
      await pause(100);
      peak = Math.max(peak, service.memory);
    }
    const held = await metric(address, 'face_inflight_body_bytes');
    expect(held).toBeLessThanOrEqual(64 * MIB);
    expect((await fetch(`${address}/readyz`)).status).toBe(200);
    // Six fit into the budget; all others were told at once.
    const refused = slow.filter(({ received }) => received.startsWith('HTTP/1.1 503 '));
    expect(refused.length).toBe(994);
    expect(refused.every(({ received }) => received.includes('"OVERLOADED"'))).toBe(true);
    await expect.poll(() => metric(address, 'face_inflight_body_bytes'), { timeout: 6000 }).toBe(0);
    const late = slow.filter(({ received }) => received.startsWith('HTTP/1.1 400 '));
    expect(late.length).toBe(6);
    expect(late.every(({ received }) => received.includes('did not arrive within 4000 ms'))).toBe(true);
    expect((await embed(address, await blobsPng(1))).status).toBe(200);
    console.log(`memory: ${before.toFixed(0)} MiB before, peak ${peak.toFixed(0)} with 1,000 slow callers`);
    expect(peak).toBeLessThan(before + 64 + 60);
  });
});

describe('slow headers and idle connections', () => {
  it('are closed in their time', async () => {
    service = new ServiceProcess({ HEADERS_TIMEOUT_MS: '1500', KEEP_ALIVE_TIMEOUT_MS: '1500' });
    const address = await service.ready();
    const started = performance.now();
    const closed = (socket: Socket) =>
      new Promise<number>((resolve) => socket.on('close', () => resolve(performance.now() - started)));
    const halfHeader = open(address, 'GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    const idle = open(address, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    const [headerTime, idleTime] = await Promise.all([closed(halfHeader), closed(idle)]);
    expect(halfHeader.received).toMatch(/^HTTP\/1\.1 400 [\s\S]*"INVALID_REQUEST"/);
    expect(idle.received).toMatch(/^HTTP\/1\.1 200 /);
    for (const time of [headerTime, idleTime]) {
      expect(time).toBeGreaterThan(1000);
      expect(time).toBeLessThan(5000);
    }
  });
});

describe('callers that hang up', () => {
  it('while they wait give their places back', async () => {
    service = new ServiceProcess({ MAX_QUEUE: '20', MAX_IMAGE_SIZE: '20000000' });
    const address = await service.ready();
    const slowPicture = await blobsPng(2, 3000, 2000);
    const calls = Array.from({ length: 15 }, () => {
      const caller = new AbortController();
      const init = {
        method: 'POST',
        headers: { 'Content-Type': 'image/png' },
        body: slowPicture,
        signal: caller.signal,
      };
      const done = fetch(`${address}/v1/embed`, init).catch((error) => error);
      return { caller, done };
    });
    await expect.poll(() => metric(address, 'face_images_queued'), { timeout: 8000 }).toBeGreaterThan(5);
    for (const { caller } of calls) caller.abort();
    await expect.poll(() => metric(address, 'face_images_queued')).toBe(0);
    await expect.poll(() => metric(address, 'face_images_admitted'), { timeout: 5000 }).toBe(0);
    await expect.poll(() => metric(address, 'face_inflight_body_bytes')).toBe(0);
    const gone = await metric(address, 'face_http_rejected_total{reason="client_gone"}');
    expect(gone).toBeGreaterThan(5);
    expect((await embed(address, await blobsPng(1))).status).toBe(200);
    await Promise.all(calls.map(({ done }) => done));
  });
});

describe('an answer given before the body has arrived', () => {
  it('reaches a caller that writes all before it reads, and leaves the connection usable', async () => {
    service = new ServiceProcess({ MAX_IMAGE_SIZE: '1000000', MAX_REQUEST_SIZE: '1000000' });
    const address = await service.ready();
    const body = Buffer.alloc(8 * MIB, 1);
    for (let i = 0; i < 20; i++) {
      const socket = open(address, upload('image/png', body.length));
      socket.pause();
      await new Promise<void>((resolve) => socket.write(body, () => resolve()));
      socket.resume();
      await expect.poll(() => socket.received).toMatch(/^HTTP\/1\.1 413 /);
      socket.received = '';
      socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
      await expect.poll(() => socket.received).toMatch(/^HTTP\/1\.1 200 /);
      socket.destroy();
    }
  });

  it('does not wait for ever for a body that never comes', async () => {
    service = new ServiceProcess({ MAX_IMAGE_SIZE: '1000000', MAX_REQUEST_SIZE: '1000000' });
    const address = await service.ready();
    const socket = open(address, upload('image/png', 100 * MIB));
    await new Promise((resolve) => socket.on('close', resolve));
    expect(socket.received).toMatch(/^HTTP\/1\.1 413 /);
  });
});
