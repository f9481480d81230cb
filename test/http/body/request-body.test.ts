import { describe, expect, it } from 'vitest';
import { ClientDisconnected } from '../../../src/http/body/body-source.ts';
import { RequestBody } from '../../../src/http/body/request-body.ts';
import { type ForwardedBytes, gatherBytes } from '../../../src/threads/forwarded-bytes.ts';
import { Permits } from '../../../src/threads/permits.ts';

const LIMIT = { bytes: 1_000_000, code: 'IMAGE_TOO_LARGE' } as const;

function bodyOf(
  source: Uint8Array<ArrayBuffer> | ReadableStream,
  {
    budget = new Permits(10_000_000),
    uploads = new Permits(1),
    timeout = 5_000,
    headers = {} as Record<string, string>,
  } = {},
) {
  const request = new Request('http://x/', {
    method: 'POST',
    body: source,
    duplex: 'half',
    headers,
  } as RequestInit);
  const pace = { timeout, minRate: 0 };
  return { body: new RequestBody(request, { budget, uploads, pace }), budget, uploads };
}

const streamOf = (pull: (controller: ReadableStreamDefaultController) => void | Promise<void>) =>
  new ReadableStream({ pull }, { highWaterMark: 0 });

describe('the byte budget of all bodies', () => {
  it('holds the declared length of a body until the body is released', async () => {
    const { body, budget } = bodyOf(new Uint8Array(5000), { headers: { 'Content-Length': '5000' } });
    await body.read(LIMIT);
    expect(budget.taken).toBe(5000);
    expect(body.bytesRead).toBe(5000);
    body.release();
    body.release();
    expect(budget.taken).toBe(0);
  });

  it('refuses a body that does not fit before a byte of it is read', async () => {
    let pulled = 0;
    const { body } = bodyOf(
      streamOf(() => void pulled++),
      {
        budget: new Permits(4999),
        headers: { 'Content-Length': '5000' },
      },
    );
    await expect(body.read(LIMIT)).rejects.toMatchObject({
      code: 'OVERLOADED',
      reason: 'inflight_bytes',
      retryAfter: 1,
    });
    expect(pulled).toBe(0);
  });

  it('counts a body without a declared length as it arrives', async () => {
    const endless = streamOf((controller) => controller.enqueue(new Uint8Array(50_000)));
    const { body, budget } = bodyOf(endless, { budget: new Permits(300_000) });
    await expect(body.read(LIMIT)).rejects.toMatchObject({ code: 'OVERLOADED' });
    expect(body.bytesRead).toBeLessThanOrEqual(400_000);
    body.release();
    expect(budget.taken).toBe(0);
  });

  it('is not used by a body that is declared too large', async () => {
    const { body, budget } = bodyOf(new Uint8Array(10), { headers: { 'Content-Length': '1000001' } });
    await expect(body.read(LIMIT)).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' });
    expect(budget.taken).toBe(0);
  });
});

describe('reading a body', () => {
  it.each([4999, 5001])('refuses %i bytes where 5000 were declared', async (length) => {
    const { body } = bodyOf(new Uint8Array(length), { headers: { 'Content-Length': '5000' } });
    await expect(body.read(LIMIT)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('refuses a body that does not arrive in time', async () => {
    // It never ends: a time limit for each chunk would never refuse it.
    const slow = streamOf(async (controller) => {
      await new Promise((resolve) => setTimeout(resolve, 40));
      controller.enqueue(new Uint8Array(1));
    });
    const { body } = bodyOf(slow, { timeout: 200 });
    await expect(body.read(LIMIT)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      detail: 'The body did not arrive within 200 ms.',
    });
    expect(body.bytesRead).toBeGreaterThan(0);
  });

  it('refuses a body that stops arriving', async () => {
    const { body } = bodyOf(
      streamOf(() => new Promise(() => {})),
      { timeout: 100 },
    );
    await expect(body.read(LIMIT)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('reports a client that disconnects while it sends', async () => {
    const broken = streamOf((controller) => controller.error(new Error('ECONNRESET')));
    await expect(bodyOf(broken).body.read(LIMIT)).rejects.toBeInstanceOf(ClientDisconnected);
  });
});

describe('forwarding a body to another thread', () => {
  const LARGE = { bytes: 40_000_000, code: 'REQUEST_TOO_LARGE' } as const;
  const bytes = (length: number) => {
    // Not Uint8Array.from, which takes seconds for 35 MB.
    const filled = new Uint8Array(length);
    for (let i = 0; i < length; i++) filled[i] = i * 7;
    return filled;
  };
  const roomy = () => new Permits(100_000_000);
  const inChunks = (whole: Uint8Array, length: number) => {
    let at = 0;
    return streamOf((controller) => {
      if (at < whole.length) controller.enqueue(whole.slice(at, at + length));
      else controller.close();
      at += length;
    });
  };

  it.each([0, 1, 5000, 4_194_303])('reads %i bytes into one buffer', async (length) => {
    const whole = bytes(length);
    for (const headers of [{}, { 'Content-Length': String(length) }]) {
      const { body } = bodyOf(inChunks(whole, 65_536), { budget: roomy(), headers });
      expect(Buffer.compare((await body.forward(LARGE)) as Uint8Array, whole)).toBe(0);
    }
  });

  it('reads a body declared as less than 32 MiB into one buffer', async () => {
    const whole = bytes((32 << 20) - 1);
    const headers = { 'Content-Length': String(whole.length) };
    const { body } = bodyOf(inChunks(whole, 1 << 20), { budget: roomy(), headers });
    expect(await body.forward(LARGE)).toBeInstanceOf(Uint8Array);
  });

  it.each([
    [4_194_304, {}],
    [4_194_305, {}],
    [8_388_608, {}],
    [10_000_000, {}],
    [33_554_432, { 'Content-Length': '33554432' }],
    [35_000_000, { 'Content-Length': '35000000' }],
  ])('forwards %i bytes in pieces (%o)', async (length, headers) => {
    const whole = bytes(length);
    const { body, budget } = bodyOf(inChunks(whole, 65_537), { budget: roomy(), headers });
    const forwarded = (await body.forward(LARGE)) as ForwardedBytes;
    expect(forwarded.length).toBe(length);
    expect(budget.taken).toBeGreaterThanOrEqual(length);
    expect(Buffer.compare(gatherBytes(forwarded), whole)).toBe(0);
    body.release();
    expect(budget.taken).toBe(0);
  });

  it('closes the port of a body that is released before it is received', async () => {
    const { body } = bodyOf(inChunks(bytes(5_000_000), 65_536), { budget: roomy() });
    const { port } = (await body.forward(LARGE)) as ForwardedBytes;
    const closed = new Promise((resolve) => port.once('close', () => resolve('closed')));
    body.release();
    expect(await closed).toBe('closed');
  });

  it.each([6_000_000, 6_000_002])('refuses %i bytes where 36000001 were declared', async (length) => {
    const { body } = bodyOf(inChunks(bytes(length), 65_536), {
      budget: roomy(),
      headers: { 'Content-Length': '36000001' },
    });
    await expect(body.forward(LARGE)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    body.release();
  });

  it('refuses a body that exceeds the limit after pieces of it were forwarded', async () => {
    const { body, budget } = bodyOf(inChunks(bytes(9_000_000), 65_536), { budget: roomy() });
    const limit = { ...LARGE, bytes: 8_500_000 };
    await expect(body.forward(limit)).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE' });
    body.release();
    expect(budget.taken).toBe(0);
  });
});
