import { expect, it } from 'vitest';
import { TinyEngine, testConfig } from '../support/engine/engines.ts';
import { assembleApp } from '../support/http/app.ts';

const engine = new TinyEngine({ phase: 'ready' }, () => {
  throw new Error('not reached');
});
const { app } = assembleApp(testConfig(), engine);

it.each(['/livez', '/v1/nowhere', '/v1/embed', '/openapi.json'])(
  'every answer has the security headers: GET %s',
  async (path) => {
    const { headers } = await app.request(path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  },
);
