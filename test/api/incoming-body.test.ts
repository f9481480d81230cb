import { describe, expect, it } from 'vitest';
import { CallerGone, IncomingBody } from '../../src/api/incoming-body.ts';
import { Permits } from '../../src/engine/permits.ts';

const LIMIT = { bytes: 1_000_000, code: 'IMAGE_TOO_LARGE' } as const;

function bodyOf(
  source: Uint8Array<ArrayBuffer> | ReadableStream,
  { budget = new Permits(10_000_000), timeout = 5_000, headers = {} as Record<string, string> } = {},
) {
  const request = new Request('http://x/', {
    method: 'POST',
    body: source,
    duplex: 'half',
    headers,
  } as RequestInit);
  return { body: new IncomingBody(request, { budget, timeout }), budget };
}

const streamOf = (pull: (controller: ReadableStreamDefaultController) => void | Promise<void>) =>
  new ReadableStream({ pull }, { highWaterMark: 0 });

describe('the budget of bytes', () => {
  it('is held from the declared length on until the body is released', async () => {
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

  it('is not taken by a body that is too large anyway', async () => {
    const { body, budget } = bodyOf(new Uint8Array(10), { headers: { 'Content-Length': '1000001' } });
    await expect(body.read(LIMIT)).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' });
    expect(budget.taken).toBe(0);
  });
});

describe('a body that', () => {
  it.each([4999, 5001])('is %i bytes long where 5000 were declared is refused', async (length) => {
    const { body } = bodyOf(new Uint8Array(length), { headers: { 'Content-Length': '5000' } });
    await expect(body.read(LIMIT)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('comes too slowly is given up', async () => {
    const slow = streamOf(async (controller) => {
      await new Promise((resolve) => setTimeout(resolve, 40));
      controller.enqueue(new Uint8Array(1));
    });
    const { body } = bodyOf(slow, { timeout: 200 });
    const started = performance.now();
    await expect(body.read(LIMIT)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      detail: 'The body did not arrive within 200 ms.',
    });
    expect(performance.now() - started).toBeLessThan(1000);
    expect(body.bytesRead).toBeGreaterThan(0);
  });

  it('falls silent is given up too', async () => {
    const { body } = bodyOf(
      streamOf(() => new Promise(() => {})),
      { timeout: 100 },
    );
    await expect(body.read(LIMIT)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('breaks off means that the caller has gone', async () => {
    const broken = streamOf((controller) => controller.error(new Error('ECONNRESET')));
    await expect(bodyOf(broken).body.read(LIMIT)).rejects.toBeInstanceOf(CallerGone);
  });
});
