import { describe, expect, it } from 'vitest';
import { TinyEngine, testConfig } from '../support/engine/engines.ts';
import { assembleApp } from '../support/http/app.ts';

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

describe('a request from another origin', () => {
  it('gets no CORS headers by default', async () => {
    const app = assemble({});
    const answer = await app.request('/livez', { headers: { Origin: 'https://a.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect((await app.request('/v1/embed', preflight('https://a.example'))).status).toBe(405);
  });

  describe('with CORS_ORIGINS', () => {
    const app = assemble({
      CORS_ENABLED: 'true',
      CORS_ORIGINS: 'https://a.example,http://localhost:3000',
      API_KEYS: 'correct-horse-battery',
    });

    it('passes the preflight without an API key', async () => {
      const answer = await app.request('/v1/embed', preflight('http://localhost:3000'));
      expect(answer.status).toBe(204);
      expect(answer.headers.get('access-control-allow-origin')).toBe('http://localhost:3000');
      expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
      expect(answer.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('x-api-key');
    });

    it('can read errors, Retry-After included', async () => {
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
      'gets no CORS headers when the origin is not listed: %s',
      async (origin) => {
        for (const init of [preflight(origin), { headers: { Origin: origin } }]) {
          const answer = await app.request('/livez', init);
          expect(answer.headers.get('access-control-allow-origin')).toBeNull();
        }
      },
    );
  });

  it('is allowed from every origin with CORS_ORIGINS=*, without credentials', async () => {
    const app = assemble({ CORS_ENABLED: 'true', CORS_ORIGINS: '*' });
    const answer = await app.request('/livez', { headers: { Origin: 'https://anyone.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });
});
