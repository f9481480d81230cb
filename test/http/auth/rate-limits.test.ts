import { describe, expect, it } from 'vitest';
import type { ServiceError } from '../../../src/errors.ts';
import { RateLimits } from '../../../src/http/auth/rate-limits.ts';
import { TinyEngine, testConfig, tinyAdmission, tinyAnswer } from '../../support/engine/engines.ts';
import { answerOf } from '../../support/http/answer.ts';
import { assembleApp } from '../../support/http/app.ts';
import { seriesValue } from '../../support/http/metric.ts';

/** How many requests pass at a moment, and after how many seconds the next may come. */
function passing(
  rates: RateLimits,
  caller: string,
  now: number,
): { passed: number; retryAfter: number | undefined } {
  for (let passed = 0; ; passed++) {
    try {
      rates.take(caller, now);
    } catch (error) {
      expect(error).toMatchObject({ code: 'RATE_LIMITED' });
      return { passed, retryAfter: (error as ServiceError).retryAfter };
    }
  }
}

describe('the token bucket of a caller', () => {
  it('lets a second of requests pass at once, then as many as the rate', () => {
    const rates = new RateLimits(10);
    expect(passing(rates, 'a', 0)).toEqual({ passed: 10, retryAfter: 1 });
    expect(passing(rates, 'a', 250).passed).toBe(2);
    expect(passing(rates, 'a', 500).passed).toBe(3);
    expect(passing(rates, 'a', 60_000).passed).toBe(10);
  });

  it('is its own', () => {
    const rates = new RateLimits(1);
    expect(passing(rates, 'a', 0).passed).toBe(1);
    expect(passing(rates, 'b', 0).passed).toBe(1);
  });

  it('may fill slower than one a second', () => {
    const rates = new RateLimits(0.1);
    expect(passing(rates, 'a', 0)).toEqual({ passed: 1, retryAfter: 10 });
    expect(passing(rates, 'a', 4_000)).toEqual({ passed: 0, retryAfter: 6 });
    expect(passing(rates, 'a', 10_000).passed).toBe(1);
  });

  it('pays for a batch afterwards', () => {
    const rates = new RateLimits(2);
    rates.take('a', 0);
    rates.charge('a', 9, 0);
    expect(passing(rates, 'a', 0)).toEqual({ passed: 0, retryAfter: 5 });
    expect(passing(rates, 'a', 4_500).passed).toBe(1);
  });

  it('is forgotten when very many others come', () => {
    const rates = new RateLimits(1);
    for (let i = 0; i < 50_000; i++) rates.take(`caller ${i}`, 0);
    expect(rates.size).toBe(10_000);
    expect(passing(rates, 'caller 49999', 0).passed).toBe(0);
    expect(passing(rates, 'caller 0', 0).passed).toBe(1);
  });

  it('does not exist without a limit', () => {
    const rates = new RateLimits(0);
    for (let i = 0; i < 1_000; i++) rates.take('a', 0);
    expect(rates.size).toBe(0);
  });
});

describe('RATE_LIMIT_PER_KEY', () => {
  const [ONE, TWO] = ['correct-horse-battery-staple', 'another-key-0123456789'];
  const engine = new TinyEngine({ phase: 'ready' }, () =>
    tinyAdmission({ embed: async (image) => tinyAnswer(image) }),
  );
  const appWith = (environment: Record<string, string>) => assembleApp(testConfig(environment), engine).app;
  const embed = (app: ReturnType<typeof appWith>, key: string, images = 1) =>
    app.request('/v1/embed', {
      method: 'POST',
      headers: { 'X-API-Key': key, 'Content-Type': 'application/json' },
      body: JSON.stringify(
        images === 1 ? { image: 'AQ==' } : { images: Array.from({ length: images }, () => 'AQ==') },
      ),
    });

  it('refuses with 429 and Retry-After, before the body is read, and the other key is served', async () => {
    const app = appWith({ API_KEYS: `one=${ONE},two=${TWO}`, RATE_LIMIT_PER_KEY: '0.001' });
    expect((await embed(app, ONE)).status).toBe(200);
    const { status, headers, body } = await answerOf(await embed(app, ONE));
    expect(status).toBe(429);
    expect(body).toMatchObject({ error_code: 'RATE_LIMITED' });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(900);
    let pulled = 0;
    const upload = new ReadableStream({ pull: () => void pulled++ }, { highWaterMark: 0 });
    const init = {
      method: 'POST',
      body: upload,
      duplex: 'half',
      headers: { 'X-API-Key': ONE },
    } as RequestInit;
    expect((await app.request('/v1/embed', init)).status).toBe(429);
    expect(pulled).toBe(0);
    expect((await embed(app, TWO)).status).toBe(200);
    for (const path of ['/livez', '/readyz', '/openapi.json']) {
      for (let i = 0; i < 3; i++) expect((await app.request(path)).status).toBe(200);
    }
    const metrics = await (await app.request('/metrics', { headers: { 'X-API-Key': ONE } })).text();
    expect(seriesValue(metrics, 'face_key_requests_total{key="one",error_code="RATE_LIMITED"}')).toBe(2);
    expect(seriesValue(metrics, 'face_key_requests_total{key="two",error_code=""}')).toBe(1);
    expect(seriesValue(metrics, 'face_http_rejected_total{reason="rate_limit"}')).toBe(2);
  });

  it('counts a batch as its images', async () => {
    const app = appWith({ API_KEYS: `one=${ONE}`, RATE_LIMIT_PER_KEY: '5' });
    expect((await embed(app, ONE, 60)).status).toBe(200);
    const { status, headers } = await embed(app, ONE);
    expect(status).toBe(429);
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(10);
    const metrics = await (await app.request('/metrics', { headers: { 'X-API-Key': ONE } })).text();
    expect(seriesValue(metrics, 'face_key_images_total{key="one"}')).toBe(60);
  });
});
