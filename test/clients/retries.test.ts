import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FaceEmbeddingError } from '../../clients/typescript/src/index.ts';
import { found, later, noAnswer, refusal, scriptedClient } from '../support/clients/scripted-service.ts';

// Every time is on the clock of the test.
const PICTURE = new Uint8Array([1]);

beforeEach(() => vi.spyOn(Math, 'random').mockReturnValue(0));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('a call that is refused', () => {
  it('is sent again when Retry-After says, in seconds', async () => {
    const { client, requests, end } = scriptedClient(() => (requests.length === 1 ? refusal(3) : found()));
    expect((await end(client.embed(PICTURE))).value).toHaveProperty('face_detected', true);
    expect(requests.map(({ at }) => at)).toEqual([0, 3000]);
  });

  it('is sent again when Retry-After says, as a date', async () => {
    const { client, requests, end } = scriptedClient(() =>
      requests.length === 1 ? refusal(new Date(Date.now() + 5000).toUTCString()) : found(),
    );
    await end(client.embed(PICTURE));
    expect(requests[1]?.at).toBeGreaterThanOrEqual(4000);
    expect(requests[1]?.at).toBeLessThanOrEqual(5010);
  });

  it('is sent again after a fraction of a second, as some proxies ask', async () => {
    const { client, requests, end } = scriptedClient(() =>
      requests.length === 1 ? refusal('1.5') : found(),
    );
    await end(client.embed(PICTURE));
    expect(requests[1]?.at).toBe(1500);
  });

  it('is sent again by the clock of who sent the date', async () => {
    const { client, requests, end } = scriptedClient(() => {
      if (requests.length > 1) return found();
      const response = refusal(new Date(Date.now() - 3_595_000).toUTCString());
      response.headers.set('Date', new Date(Date.now() - 3_600_000).toUTCString());
      return response;
    });
    await end(client.embed(PICTURE));
    expect(requests.map(({ at }) => at)).toEqual([0, 5000]);
  });

  it.each(['soon', '-1', '', new Date(0).toUTCString()])(
    'waits for its own time when Retry-After is "%s"',
    async (given) => {
      const { client, requests, end } = scriptedClient(() =>
        requests.length === 1 ? refusal(given) : found(),
      );
      await end(client.embed(PICTURE));
      expect(requests.map(({ at }) => at)).toEqual([0, 100]);
    },
  );

  it('is sent later than asked by a random time, never sooner', async () => {
    vi.mocked(Math.random).mockReturnValue(0.999);
    const { client, requests, end } = scriptedClient(() => (requests.length === 1 ? refusal(2) : found()));
    await end(client.embed(PICTURE));
    expect(requests[1]?.at).toBeGreaterThan(2900);
    expect(requests[1]?.at).toBeLessThanOrEqual(3010);
  });

  it('waits longer after each refusal that gives no time', async () => {
    const { client, requests, end } = scriptedClient(() => (requests.length <= 6 ? refusal() : found()));
    await end(client.embed(PICTURE));
    const times = requests.map(({ at }) => at);
    const waits = times.slice(1).map((at, i) => at - (times[i] ?? 0));
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(waits[5]).toBeGreaterThan(8 * (waits[0] ?? 0));
  });

  it('fails at once when the service asks for more time than it has', async () => {
    const { client, requests, end } = scriptedClient(() => refusal(20));
    const { at, error } = await end(client.embed(PICTURE, { timeoutMs: 10_000 }));
    expect(error).toMatchObject({
      code: 'OVERLOADED',
      status: 503,
      retryable: true,
      retryAfterMs: 20_000,
      requestId: 'r-1',
    });
    expect(requests).toHaveLength(1);
    expect(at).toBeLessThan(100);
  });

  it('ends before its deadline, and is not sent after it', async () => {
    const { client, requests, end } = scriptedClient(() => refusal(1));
    const { at, error } = await end(client.embed(PICTURE, { timeoutMs: 5_500 }));
    expect(error).toHaveProperty('code', 'OVERLOADED');
    expect(at).toBeLessThanOrEqual(5_510);
    expect(Math.max(...requests.map((request) => request.at))).toBeLessThan(5_500);
    expect(requests.length).toBeGreaterThan(1);
  });

  it.each([
    ['RATE_LIMITED', 429],
    ['MODEL_NOT_LOADED', 503],
    ['DEADLINE_EXCEEDED', 504],
  ])('is repeated after %s', async (code, status) => {
    const { client, requests, end } = scriptedClient(() =>
      requests.length === 1 ? refusal(undefined, code, status) : found(),
    );
    expect((await end(client.embed(PICTURE))).error).toBeUndefined();
    expect(requests).toHaveLength(2);
  });

  it('is repeated after the refusal of a proxy, which is not JSON', async () => {
    const { client, requests, end } = scriptedClient(() =>
      requests.length === 1 ? new Response('<h1>Bad gateway</h1>', { status: 502 }) : found(),
    );
    expect((await end(client.embed(PICTURE))).error).toBeUndefined();
  });

  it('is not repeated after an error that would come again', async () => {
    const { client, requests, end } = scriptedClient(() => refusal(undefined, 'NO_FACE_DETECTED', 422));
    const { error } = await end(client.embed(PICTURE));
    expect(error).toBeInstanceOf(FaceEmbeddingError);
    expect(error).toMatchObject({ code: 'NO_FACE_DETECTED', retryable: false });
    expect(requests).toHaveLength(1);
  });
});

describe('a call without an answer', () => {
  it('is repeated after a broken connection', async () => {
    const { client, requests, end } = scriptedClient(() => {
      if (requests.length === 1) throw new TypeError('fetch failed', { cause: new Error('ECONNRESET') });
      return found();
    });
    expect((await end(client.embed(PICTURE))).error).toBeUndefined();
    expect(requests).toHaveLength(2);
  });

  it('ends at its deadline', async () => {
    const { client, end } = scriptedClient(noAnswer);
    const { at, error } = await end(client.embed(PICTURE, { timeoutMs: 2_000 }));
    expect(error).toMatchObject({ code: 'TIMEOUT', retryable: true, status: 0 });
    expect(at).toBe(2_000);
  });

  it('is given up after attemptTimeoutMs, and repeated', async () => {
    const { client, requests, end } = scriptedClient(() => (requests.length === 1 ? noAnswer() : found()));
    expect((await end(client.embed(PICTURE, { attemptTimeoutMs: 1_000 }))).error).toBeUndefined();
    expect(requests[1]?.at).toBeGreaterThanOrEqual(1_000);
  });

  it('throws the reason of its signal when it is aborted', async () => {
    const { client, end } = scriptedClient(noAnswer);
    const controller = new AbortController();
    const call = client.embed(PICTURE, { signal: controller.signal });
    controller.abort(new Error('changed my mind'));
    expect((await end(call)).error).toEqual(new Error('changed my mind'));
    expect(client.state).toMatchObject({ open: 0, waiting: 0 });
  });

  it('can be aborted while it waits for another attempt', async () => {
    const { client, end, requests } = scriptedClient(() => refusal(5));
    const controller = new AbortController();
    const call = client.embed(PICTURE, { signal: controller.signal });
    setTimeout(() => controller.abort(), 1_000);
    const { at, error } = await end(call);
    expect(error).toHaveProperty('name', 'AbortError');
    expect(at).toBe(1_000);
    expect(requests).toHaveLength(1);
  });
});

describe('calls of one client together', () => {
  it('are sent one by one when the service has refused all, and more with each answer', async () => {
    let refuses = true;
    const { client, requests, end } = scriptedClient(() => (refuses ? refusal(1) : later(100, found)));
    const calls = Array.from({ length: 20 }, () => client.embed(PICTURE));
    setTimeout(() => {
      refuses = false;
    }, 500);
    expect((await end(Promise.all(calls))).error).toBeUndefined();
    const first = requests.filter(({ at }) => at < 500).length;
    const second = requests.filter(({ at }) => at >= 500 && at < 1_100).length;
    expect([first, second]).toEqual([8, 1]);
    expect(client.state.limit).toBeGreaterThan(2);
  });

  it('are not sent while a rate limit holds', async () => {
    const { client, requests, end } = scriptedClient(() =>
      requests.length === 1 ? refusal(4, 'RATE_LIMITED', 429) : found(),
    );
    const first = client.embed(PICTURE);
    await vi.advanceTimersByTimeAsync(100);
    const second = client.embed(PICTURE);
    await end(Promise.all([first, second]));
    expect(requests.map(({ at }) => at).filter((at) => at < 4_000)).toEqual([0]);
  });

  it('keep to what the service holds, once it has refused', async () => {
    const PLACES = 5;
    let taken = 0;
    let refused = 0;
    const { client, requests, end } = scriptedClient(async () => {
      if (taken === PLACES) {
        refused++;
        return refusal(1);
      }
      taken++;
      return later(100, () => {
        taken--;
        return found();
      });
    });
    const calls = Array.from({ length: 300 }, () => client.embed(PICTURE));
    expect((await end(Promise.all(calls))).error).toBeUndefined();
    expect(requests).toHaveLength(300 + refused);
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(0.25 * 300);
  });

  it('never exceed maxOpen', async () => {
    let open = 0;
    let most = 0;
    const { client, end } = scriptedClient(
      () => {
        most = Math.max(most, ++open);
        return later(50, () => {
          open--;
          return found();
        });
      },
      { maxOpen: 3 },
    );
    await end(Promise.all(Array.from({ length: 30 }, () => client.embed(PICTURE))));
    expect(most).toBe(3);
  });
});

describe('the circuit', () => {
  const overloaded = (options = {}) => {
    const service = scriptedClient(() => refusal(1), { timeoutMs: 120_000, ...options });
    const calls = Array.from({ length: 10 }, () => service.client.embed(PICTURE).catch(() => {}));
    return { ...service, calls };
  };

  it('opens when nothing but refusals has come for long, and asks ever more rarely', async () => {
    const { client, requests } = overloaded();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(client.state.circuit).toBe('closed');
    await vi.advanceTimersByTimeAsync(25_000);
    expect(client.state.circuit).toBe('open');
    const before = requests.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(requests.length - before).toBeLessThanOrEqual(4);
    expect(requests.length - before).toBeGreaterThan(0);
  });

  it('fails a call at once whose deadline comes before the next attempt', async () => {
    const { client, requests, end, now } = overloaded();
    await vi.advanceTimersByTimeAsync(60_000);
    const before = requests.length;
    const began = now();
    const { at, error } = await end(client.embed(PICTURE, { timeoutMs: 500 }));
    expect(error).toHaveProperty('code', 'OVERLOADED');
    expect(at - began).toBeLessThan(100);
    expect(requests).toHaveLength(before);
  });

  it('closes with the first answer', async () => {
    let refuses = true;
    const { client, end } = scriptedClient(() => (refuses ? refusal(1) : found()), { timeoutMs: 120_000 });
    const call = client.embed(PICTURE);
    await vi.advanceTimersByTimeAsync(40_000);
    expect(client.state.circuit).toBe('open');
    refuses = false;
    expect((await end(call)).error).toBeUndefined();
    expect(client.state.circuit).toBe('closed');
  });
});
