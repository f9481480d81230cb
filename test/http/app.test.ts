import { describe, expect, it } from 'vitest';
import { TinyEngine, testConfig } from '../support/engine/engines.ts';
import { answerOf } from '../support/http/answer.ts';
import { assembleApp } from '../support/http/app.ts';

const engine = new TinyEngine({ phase: 'ready' }, () => {
  throw new Error('not reached');
});
const { app } = assembleApp(testConfig(), engine);

describe('the application', () => {
  it('answers an unknown path with 404 in the shape of all errors', async () => {
    const response = await app.request('/v2/embed');
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error: expect.any(String),
      error_code: 'NOT_FOUND',
      request_id: response.headers.get('x-request-id'),
    });
  });

  it.each([
    ['GET', '/v1/embed', 'POST'],
    ['DELETE', '/v1/compare', 'POST'],
    ['POST', '/v1/health', 'GET, HEAD'],
    ['PUT', '/livez', 'GET, HEAD'],
    ['PATCH', '/docs', 'GET, HEAD'],
    ['OPTIONS', '/openapi.json', 'GET, HEAD'],
  ])('answers %s %s with METHOD_NOT_ALLOWED and Allow', async (method, path, allow) => {
    const response = await app.request(path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allow);
    expect(await response.json()).toMatchObject({ error_code: 'METHOD_NOT_ALLOWED' });
  });

  it('answers HEAD where GET is allowed', async () => {
    const response = await app.request('/livez', { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  });

  it('returns a valid X-Request-Id and replaces an invalid one', async () => {
    const idFor = async (sent: string) =>
      (await app.request('/nowhere', { headers: { 'X-Request-Id': sent } })).headers.get('x-request-id');
    expect(await idFor('abc-123_X=')).toBe('abc-123_X=');
    expect(await idFor('a b')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idFor('<script>')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idFor('a'.repeat(300))).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('serves all routes below API_PREFIX, and none without it', async () => {
    const prefixed = assembleApp(testConfig({ API_PREFIX: '/api' }), engine).app;
    expect((await prefixed.request('/api/v1/health')).status).toBe(200);
    expect((await prefixed.request('/api/docs/swagger-ui.css')).status).toBe(200);
    expect((await prefixed.request('/v1/health')).status).toBe(404);
    const { body } = await answerOf(await prefixed.request('/api/openapi.json'));
    expect(Object.keys(body.paths)).toContain('/api/v1/embed');
  });
});
