import { describe, expect, it } from 'vitest';
import type { Admission, EngineStatus } from '../../src/engine/engine.ts';
import { ServiceError } from '../../src/errors.ts';
import { TinyEngine, testConfig, tinyAdmission } from '../support/engine/engines.ts';
import { answerOf } from '../support/http/answer.ts';
import { assembleApp } from '../support/http/app.ts';

const config = testConfig();

function appWith(status: EngineStatus, admit: () => Admission) {
  const { app } = assembleApp(config, new TinyEngine(status, admit));
  return async (path: string, init: RequestInit = {}) => answerOf(await app.request(path, init));
}

const IMAGE: RequestInit = {
  method: 'POST',
  headers: { 'Content-Type': 'image/png' },
  body: new Uint8Array([1]),
};

const refusing =
  (code: ConstructorParameters<typeof ServiceError>[0], details = {}) =>
  () => {
    throw new ServiceError(code, details);
  };

describe('while no model is loaded', () => {
  it.each([
    ['starting', 'starting'],
    ['unavailable', 'unhealthy'],
  ] as const)('the probes of an engine that is %s fail with the reason', async (phase, status) => {
    const request = appWith({ phase, reason: 'Because.' }, refusing('MODEL_NOT_LOADED'));
    const health = await request('/v1/health');
    expect(health.status).toBe(503);
    expect(health.body).toEqual({
      status,
      model_loaded: false,
      model_name: 'synthetic',
      error: 'The service is not ready.',
      error_code: 'MODEL_NOT_LOADED',
      detail: 'Because.',
      request_id: health.headers.get('x-request-id'),
    });
    const ready = await request('/readyz');
    expect(ready.status).toBe(503);
    expect(ready.body).toMatchObject({ status, error_code: 'MODEL_NOT_LOADED', detail: 'Because.' });
    const live = await request('/livez');
    expect(live.status).toBe(200);
    expect(live.body).toEqual({ status: 'alive' });
    const info = await request('/v1/model-info');
    expect(info.status).toBe(503);
    expect(info.body.error_code).toBe('MODEL_NOT_LOADED');
  });

  it('/v1/embed answers MODEL_NOT_LOADED with Retry-After while the engine starts', async () => {
    const request = appWith(
      { phase: 'starting', reason: '' },
      refusing('MODEL_NOT_LOADED', { retryAfter: 5 }),
    );
    const { status, headers, body } = await request('/v1/embed', IMAGE);
    expect(status).toBe(503);
    expect(headers.get('retry-after')).toBe('5');
    expect(body.error_code).toBe('MODEL_NOT_LOADED');
  });

  it('/v1/compare compares embeddings', async () => {
    const request = appWith({ phase: 'unavailable', reason: '' }, refusing('MODEL_NOT_LOADED'));
    const { status, body } = await request('/v1/compare', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        query_embedding: [1, 0],
        reference_embeddings: [{ id: 'a', embedding: [1, 0] }],
      }),
    });
    expect(status).toBe(200);
    expect(body.best_match).toMatchObject({ id: 'a', distance: 0 });
  });
});

describe('/v1/embed, when the engine', () => {
  const ready: EngineStatus = { phase: 'ready' };

  const FORM = { 'Content-Type': 'multipart/form-data; boundary=x' };

  it.each([
    { path: '/v1/embed', headers: IMAGE.headers },
    { path: '/v1/embed', headers: FORM },
    { path: '/v1/compare', headers: FORM },
  ])(
    'is full, answers OVERLOADED with Retry-After and does not read the body: $path $headers',
    async ({ path, headers }) => {
      let pulled = 0;
      const body = new ReadableStream(
        {
          pull(controller) {
            pulled++;
            controller.enqueue(new Uint8Array(10));
          },
        },
        { highWaterMark: 0 },
      );
      const request = appWith(ready, refusing('OVERLOADED', { retryAfter: 3 }));
      const answer = await request(path, { method: 'POST', headers, body, duplex: 'half' } as RequestInit);
      expect(answer.status).toBe(503);
      expect(answer.body.error_code).toBe('OVERLOADED');
      expect(answer.headers.get('retry-after')).toBe('3');
      expect(pulled).toBe(0);
    },
  );

  it('fails unexpectedly, answers PROCESSING_ERROR without the cause and releases the place', async () => {
    let released = 0;
    const request = appWith(ready, () =>
      tinyAdmission({
        embed: () => Promise.reject(new Error('/secret/path: 0xdeadbeef')),
        release: () => released++,
      }),
    );
    const { status, body, headers } = await request('/v1/embed', IMAGE);
    expect(status).toBe(500);
    expect(body).toEqual({
      error: 'The request could not be processed.',
      error_code: 'PROCESSING_ERROR',
      request_id: headers.get('x-request-id'),
    });
    expect(released).toBe(1);
  });

  it('throws a value that is not an Error, answers PROCESSING_ERROR', async () => {
    const request = appWith(ready, () => tinyAdmission({ embed: () => Promise.reject('oops') }));
    const { status, body } = await request('/v1/embed', IMAGE);
    expect(status).toBe(500);
    expect(body.error_code).toBe('PROCESSING_ERROR');
  });

  it('misses the deadline, answers DEADLINE_EXCEEDED', async () => {
    const request = appWith(ready, () =>
      tinyAdmission({ embed: () => Promise.reject(new ServiceError('DEADLINE_EXCEEDED')) }),
    );
    expect((await request('/v1/embed', IMAGE)).status).toBe(504);
  });
});

describe('while the process drains', () => {
  const draining = (engine: TinyEngine) => assembleApp(config, engine, { lifecycle: { draining: true } }).app;

  it('readiness and health fail at once, and liveness does not', async () => {
    const app = draining(new TinyEngine({ phase: 'ready' }, refusing('OVERLOADED')));
    for (const path of ['/readyz', '/v1/health']) {
      const { status, body } = await answerOf(await app.request(path));
      expect(status).toBe(503);
      expect(body).toMatchObject({ status: 'draining', detail: 'The service is shutting down.' });
    }
    expect((await app.request('/livez')).status).toBe(200);
  });

  it('requests are still served, with Connection: close in every answer', async () => {
    const app = draining(new TinyEngine({ phase: 'ready' }, refusing('OVERLOADED')));
    const compare = await app.request('/v1/compare', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"query_embedding": [1], "reference_embeddings": []}',
    });
    expect(compare.status).toBe(200);
    expect(compare.headers.get('connection')).toBe('close');
    expect((await app.request('/nowhere')).headers.get('connection')).toBe('close');
  });
});
