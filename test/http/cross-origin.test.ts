import { describe, expect, it } from 'vitest';
import { assembleApp } from '../support/app.ts';
import { TinyEngine, testConfig } from '../support/engines.ts';

const engine = new TinyEngine({ phase: 'ready' }, () => {
  throw new Error('not reached');
});
const assemble = (environment: Record<string, string>) => assembleApp(testConfig(environment), engine).app;
const preflight = (origin: string) => ({
  method: 'OPTIONS',
  headers: {
    Origin: origin,
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'content-type,x-api-key',
  },
});

describe('other origins', () => {
  it('get nothing by default', async () => {
    const app = assemble({});
    const answer = await app.request('/livez', { headers: { Origin: 'https://a.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect((await app.request('/v1/embed', preflight('https://a.example'))).status).toBe(405);
  });

  describe('when listed', () => {
    const app = assemble({
      CORS_ENABLED: 'true',
      CORS_ORIGINS: 'https://a.example,http://localhost:3000',
      API_KEYS: 'correct-horse-battery',
    });

    it('may ask, before any key is sent', async () => {
      const answer = await app.request('/v1/embed', preflight('http://localhost:3000'));
      expect(answer.status).toBe(204);
      expect(answer.headers.get('access-control-allow-origin')).toBe('http://localhost:3000');
      expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
      expect(answer.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('x-api-key');
    });

    it('may read errors too, and the headers that tell what to do', async () => {
      const answer = await app.request('/v1/embed', {
        method: 'POST',
        headers: { Origin: 'https://a.example' },
      });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('access-control-allow-origin')).toBe('https://a.example');
      expect(answer.headers.get('access-control-expose-headers')).toContain('Retry-After');
      expect(answer.headers.get('vary')).toContain('Origin');
    });

    it.each(['https://b.example', 'https://a.example.evil.example', 'http://a.example', 'null'])(
      '%s is not listed',
      async (origin) => {
        for (const init of [preflight(origin), { headers: { Origin: origin } }]) {
          const answer = await app.request('/livez', init);
          expect(answer.headers.get('access-control-allow-origin')).toBeNull();
        }
      },
    );
  });

  it('may all when that is said', async () => {
    const app = assemble({ CORS_ENABLED: 'true', CORS_ORIGINS: '*' });
    const answer = await app.request('/livez', { headers: { Origin: 'https://anyone.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });
});

describe('the headers of every answer', () => {
  const app = assemble({});

  it.each(['/livez', '/v1/nowhere', '/v1/embed', '/openapi.json'])('%s', async (path) => {
    const { headers } = await app.request(path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  });
});
