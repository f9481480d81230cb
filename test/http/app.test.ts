import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { ERROR_CATALOGUE } from '../../src/errors.ts';
import { assembleApp } from '../support/app.ts';
import { startEngine, testConfig } from '../support/engines.ts';
import { type Answer, answerOf } from '../support/http.ts';

const config = testConfig();
let engine: InferenceEngine;
let app: ReturnType<typeof assembleApp>['app'];

beforeAll(async () => {
  engine = await startEngine(config);
  ({ app } = assembleApp(config, engine));
});
afterAll(() => engine.close());

describe('every route', () => {
  it('answers unknown paths in the one error shape', async () => {
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
  ])('%s %s: METHOD_NOT_ALLOWED with Allow', async (method, path, allow) => {
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

  it('returns a sane request id and replaces any other', async () => {
    const idFor = async (sent: string) =>
      (await app.request('/nowhere', { headers: { 'X-Request-Id': sent } })).headers.get('x-request-id');
    expect(await idFor('abc-123_X=')).toBe('abc-123_X=');
    expect(await idFor('a b')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idFor('<script>')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idFor('a'.repeat(300))).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('lies under the prefix, and nowhere else', async () => {
    const prefixed = assembleApp(testConfig({ API_PREFIX: '/api' }), engine).app;
    expect((await prefixed.request('/api/v1/health')).status).toBe(200);
    expect((await prefixed.request('/api/docs/swagger-ui.css')).status).toBe(200);
    expect((await prefixed.request('/v1/health')).status).toBe(404);
    const { body } = await answerOf(await prefixed.request('/api/openapi.json'));
    expect(Object.keys(body.paths)).toContain('/api/v1/embed');
  });
});

describe('the probes of a loaded engine', () => {
  it('say that all is well', async () => {
    const health = await app.request('/v1/health');
    expect(health.status).toBe(200);
    expect(await health.json()).toEqual({ status: 'healthy', model_loaded: true, model_name: 'synthetic' });
    const ready = await app.request('/readyz');
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({ status: 'ready' });
  });
});

describe('GET /v1/model-info', () => {
  it('says what is loaded and which limits hold', async () => {
    const response = await app.request('/v1/model-info');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      name: 'synthetic',
      embedding_size: 512,
      embedding_space: expect.stringMatching(/^synthetic:[0-9a-f]{12}$/),
      backend: 'onnxruntime',
      device: 'cpu',
      detector: {
        file: 'detector.onnx',
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        pinned: false,
        rewrites: expect.any(Array),
        input_sizes: [128, 640],
      },
      recogniser: {
        file: 'recogniser.onnx',
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        pinned: false,
        rewrites: expect.any(Array),
        input_size: 112,
      },
      licence: expect.stringContaining('recognises nobody'),
      synthetic: true,
      thresholds: [],
      detection_threshold: 0.5,
      detection: 'full',
      limits: {
        max_image_size: 10_485_760,
        max_image_pixels: 50_000_000,
        max_request_size: 33_554_432,
        max_batch_size: 64,
        max_references: 10_000,
        max_comparisons: 1_000_000,
        max_faces: 100,
        max_queue: 64,
        max_inflight_bytes: 268_435_456,
        request_timeout_ms: 10_000,
      },
      workers: 1,
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
  });
});

describe('GET /openapi.json', () => {
  let document: Answer['body'];
  beforeAll(async () => {
    document = (await answerOf(await app.request('/openapi.json'))).body;
  });

  it('describes every route', () => {
    expect(document.openapi).toBe('3.1.0');
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method} ${path}`),
    );
    expect(routes.sort()).toEqual([
      'get /docs',
      'get /livez',
      'get /metrics',
      'get /openapi.json',
      'get /readyz',
      'get /v1/health',
      'get /v1/model-info',
      'post /v1/compare',
      'post /v1/embed',
    ]);
  });

  it('names exactly the codes of the catalogue', () => {
    expect(document.components.schemas.Error.properties.error_code.enum.toSorted()).toEqual(
      Object.keys(ERROR_CATALOGUE).toSorted(),
    );
  });

  it('lists each code under its own status', () => {
    for (const methods of Object.values(document.paths) as Record<string, { responses: object }>[]) {
      for (const { responses } of Object.values(methods)) {
        for (const [status, { description }] of Object.entries(responses)) {
          for (const [, code] of description.matchAll(/^`([A-Z_]+)`/gm)) {
            expect(ERROR_CATALOGUE[code as keyof typeof ERROR_CATALOGUE].status).toBe(Number(status));
          }
        }
      }
    }
  });

  it('describes all three transports of an image', () => {
    const { requestBody, parameters } = document.paths['/v1/embed'].post;
    expect(Object.keys(requestBody.content)).toEqual([
      'application/json',
      'multipart/form-data',
      'image/*',
      'application/octet-stream',
    ]);
    expect(parameters.map(({ name }: { name: string }) => name)).toEqual([
      'faces',
      'encoding_format',
      'detection',
      'detection_threshold',
      'quality',
      'min_quality',
      'min_face_size',
      'return_face',
    ]);
  });

  it('describes a batch in every transport that has one, and both forms of its answer', () => {
    const { requestBody, responses } = document.paths['/v1/embed'].post;
    const { schemas } = document.components;
    expect(requestBody.content['application/json'].schema.anyOf).toEqual([
      { $ref: '#/components/schemas/EmbedRequest' },
      { $ref: '#/components/schemas/EmbedBatchRequest' },
    ]);
    expect(schemas.EmbedBatchRequest.required).toEqual(['images']);
    expect(schemas.EmbedForm.properties.image.type).toBe('array');
    expect(responses[200].content['application/json'].schema.anyOf).toContainEqual({
      $ref: '#/components/schemas/EmbeddedBatch',
    });
    expect(responses[200].content['application/x-ndjson'].schema).toEqual({
      $ref: '#/components/schemas/EmbedLine',
    });
    const results = ['FaceResult', 'FacesResult', 'FailedResult'];
    expect(schemas.EmbedResult.anyOf).toEqual(
      results.map((name) => ({ $ref: `#/components/schemas/${name}` })),
    );
    for (const name of results) {
      expect(schemas[name].required).toContain('index');
      expect(schemas[name].required).not.toContain('model');
    }
  });

  it('has no reference that leads nowhere', () => {
    const names = Object.keys(document.components.schemas);
    for (const [, name] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      expect(names).toContain(name);
    }
  });
});

describe('GET /docs', () => {
  it('loads nothing from outside', async () => {
    const response = await app.request('/docs');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    const html = await response.text();
    const addresses = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address as string);
    expect(addresses.filter((address) => /^(https?:)?\/\//.test(address))).toEqual([]);
    for (const address of addresses.filter((one) => !one.startsWith('data:'))) {
      expect((await app.request(`/${address}`)).status).toBe(200);
    }
  });
});
