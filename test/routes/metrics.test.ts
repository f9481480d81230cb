import { describe, expect, it } from 'vitest';
import { createMetricsApp } from '../../src/routes/apps.ts';
import { TinyEngine, testConfig } from '../support/engine/engines.ts';
import { answerOf } from '../support/http/answer.ts';
import { assembleApp } from '../support/http/app.ts';

const KEY = 'correct-horse-battery-staple';
const TOKEN = 'metrics-token-0123456789';

const engine = new TinyEngine({ phase: 'ready' }, () => {
  throw new Error('not reached');
});
const assemble = (environment: Record<string, string>) => assembleApp(testConfig(environment), engine);

describe('/metrics on the main port', () => {
  const statusFor = async (environment: Record<string, string>, headers: Record<string, string>) =>
    (await assemble(environment).app.request('/metrics', { headers })).status;

  it('requires METRICS_TOKEN where it is set, and accepts no API key instead', async () => {
    const environment = { METRICS_TOKEN: TOKEN, API_KEYS: KEY };
    expect(await statusFor(environment, {})).toBe(401);
    expect(await statusFor(environment, { 'X-API-Key': KEY })).toBe(401);
    expect(await statusFor(environment, { Authorization: `Bearer ${TOKEN}` })).toBe(200);
  });

  it('accepts an API key where METRICS_TOKEN is not set', async () => {
    expect(await statusFor({ API_KEYS: KEY }, { 'X-API-Key': KEY })).toBe(200);
  });
});

describe('/metrics on METRICS_PORT', () => {
  it('is not served on the main port', async () => {
    const { app } = assemble({ METRICS_PORT: '9100', API_KEYS: KEY, API_PREFIX: '/api' });
    const answer = await app.request('/api/metrics', { headers: { 'X-API-Key': KEY } });
    expect(answer.status).toBe(404);
  });

  it('requires no API key and has no prefix', async () => {
    const app = createMetricsApp(assemble({ METRICS_PORT: '9100', API_KEYS: KEY, API_PREFIX: '/api' }));
    const answer = await app.request('/metrics');
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('face_http_requests_total');
  });

  it('requires METRICS_TOKEN where it is set', async () => {
    const app = createMetricsApp(assemble({ METRICS_PORT: '9100', METRICS_TOKEN: TOKEN }));
    expect((await app.request('/metrics')).status).toBe(401);
  });

  it('is the only route there', async () => {
    const app = createMetricsApp(assemble({ METRICS_PORT: '9100' }));
    expect(await answerOf(await app.request('/v1/embed'))).toMatchObject({
      status: 404,
      body: { error_code: 'NOT_FOUND' },
    });
  });
});
