import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { TinyEngine, testConfig } from '../../support/engine/engines.ts';
import { answerOf } from '../../support/http/answer.ts';
import { assembleApp } from '../../support/http/app.ts';

const KEY = 'correct-horse-battery-staple';
const HASHED_KEY = 'another-key-0123456789==';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const engine = new TinyEngine({ phase: 'ready' }, () => {
  throw new Error('not reached');
});
const appWith = (environment: Record<string, string>) => assembleApp(testConfig(environment), engine).app;
const COMPARE = {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: '{"query_embedding": [1], "reference_embeddings": []}',
};

async function compareStatus(app: ReturnType<typeof appWith>, headers: Record<string, string> = {}) {
  const init = { ...COMPARE, headers: { ...COMPARE.headers, ...headers } };
  return (await app.request('/v1/compare', init)).status;
}

describe('without configured API keys', () => {
  it('serves a request without a key', async () => {
    expect(await compareStatus(appWith({}))).toBe(200);
  });
});

describe('with configured API keys', () => {
  const app = appWith({ API_KEYS: `door=${KEY}, sha256:${sha256(HASHED_KEY)}` });

  it('refuses a request without a key, and names the accepted headers', async () => {
    const { status, headers, body } = await answerOf(await app.request('/v1/compare', COMPARE));
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toBe('Bearer');
    expect(body).toMatchObject({ error_code: 'UNAUTHORIZED', detail: expect.stringContaining('X-API-Key') });
  });

  it.each([
    ['Authorization', `Bearer ${KEY}`],
    ['Authorization', `bearer   ${KEY}`],
    ['X-API-Key', KEY],
    ['X-API-Key', HASHED_KEY],
    ['Authorization', `Bearer ${HASHED_KEY}`],
  ])('accepts %s: %s', async (header, value) => {
    expect(await compareStatus(app, { [header]: value })).toBe(200);
  });

  it.each([
    ['Authorization', `Basic ${KEY}`],
    ['X-API-Key', `${KEY}x`],
    ['X-API-Key', KEY.slice(0, -1)],
    ['X-API-Key', sha256(HASHED_KEY)],
    ['X-API-Key', `sha256:${sha256(HASHED_KEY)}`],
    ['X-API-Key', 'door'],
    ['X-API-Key', ''],
  ])('refuses %s: %s', async (header, value) => {
    expect(await compareStatus(app, { [header]: value })).toBe(401);
  });

  it.each([
    '/',
    '/playground/main.js',
    '/livez',
    '/readyz',
    '/v1/health',
    '/docs',
    '/openapi.json',
    '/docs/swagger-ui.css',
  ])('serves %s without a key', async (path) => {
    expect((await app.request(path)).status).toBe(200);
  });

  it.each(['/v1/model-info', '/metrics'])('refuses %s without a key', async (path) => {
    expect((await app.request(path)).status).toBe(401);
  });

  it('does not read the body of a refused request', async () => {
    let pulled = 0;
    const body = new ReadableStream({ pull: () => void pulled++ }, { highWaterMark: 0 });
    const init = {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'Content-Type': 'image/png' },
    } as RequestInit;
    expect((await app.request('/v1/embed', init)).status).toBe(401);
    expect(pulled).toBe(0);
  });

  it('declares both headers in the OpenAPI document, on the routes that require a key', async () => {
    const { body } = await answerOf(await app.request('/openapi.json'));
    expect(body.components.securitySchemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
      apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
    });
    for (const path of ['/v1/embed', '/v1/compare']) {
      expect(body.paths[path].post.security).toEqual([{ bearer: [] }, { apiKey: [] }]);
      expect(body.paths[path].post.responses).toHaveProperty('401');
    }
    expect(body.paths['/livez'].get).not.toHaveProperty('security');
  });
});
