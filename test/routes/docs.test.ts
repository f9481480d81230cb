import { beforeAll, describe, expect, it, vi } from 'vitest';
import { ERROR_CATALOGUE } from '../../src/errors.ts';
import { TinyEngine, testConfig } from '../support/engine/engines.ts';
import { type Answer, answerOf } from '../support/http/answer.ts';
import { assembleApp } from '../support/http/app.ts';
import { parametersOf, resolve } from '../support/http/openapi.ts';

const engine = new TinyEngine({ phase: 'ready' }, () => {
  throw new Error('not reached');
});
const { app } = assembleApp(testConfig(), engine);

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
      'post /v1/compare/form',
      'post /v1/embed',
      'post /v1/embed/form',
      'post /v1/embed/image',
      'post /v1/embed/lines',
    ]);
  });

  it('says that best_match may be null, and nothing that can never be', () => {
    const { CompareResponse, QueryRanking } = document.components.schemas;
    for (const { best_match } of [CompareResponse.properties, QueryRanking.properties]) {
      expect(best_match).toEqual({
        oneOf: [{ $ref: '#/components/schemas/Match' }, { type: 'null' }],
        description: 'The first match; null without references.',
      });
    }
    // The schema of 3.0, and an object and null at once.
    expect(JSON.stringify(document)).not.toMatch(/"nullable"|"allOf"/);
  });

  it('is made once, and not sent to a caller who has it', async () => {
    const { app: other } = assembleApp(testConfig(), engine);
    const made = vi.spyOn(other, 'getOpenAPI31Document');
    const [first, second] = await Promise.all([
      other.request('/openapi.json'),
      other.request('/openapi.json'),
    ]);
    expect(made).toHaveBeenCalledTimes(1);
    expect(await first?.text()).toBe(await second?.text());
    const etag = first?.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]+"$/);
    for (const sent of [etag, `"other", W/${etag}`, '*']) {
      const again = await other.request('/openapi.json', { headers: { 'If-None-Match': sent } });
      expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, '']);
    }
    const changed = await other.request('/openapi.json', { headers: { 'If-None-Match': '"other"' } });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('content-type')).toBe('application/json');
    expect(made).toHaveBeenCalledTimes(1);
  });

  it('lists exactly the error codes of the catalogue', () => {
    expect(document.components.schemas.ErrorCode.enum.toSorted()).toEqual(
      Object.keys(ERROR_CATALOGUE).toSorted(),
    );
  });

  it('lists each error code under its own status', () => {
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

  it('names every operation, by which generated clients name their functions', () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods as object));
    const names = operations.map(({ operationId }) => operationId);
    expect(names).toEqual(expect.arrayContaining(['embed', 'compare', 'getHealth', 'getModelInfo']));
    expect(new Set(names).size).toBe(operations.length);
    for (const name of names) expect(name).toMatch(/^[a-z][A-Za-z]+$/);
  });

  it('gives options no default, which generated clients would send or require', () => {
    const inQuery = Object.keys(document.paths)
      .filter((path) => document.paths[path].post)
      .map((path) => [path, parametersOf(document, path).length]);
    expect(Object.fromEntries(inQuery)).toEqual({
      '/v1/compare': 14,
      '/v1/compare/form': 14,
      '/v1/embed': 13,
      '/v1/embed/form': 13,
      '/v1/embed/image': 13,
      '/v1/embed/lines': 13,
    });
    // A member of this name is not a default.
    const { LivenessModel, ...schemas } = document.components.schemas;
    expect(LivenessModel.properties).toHaveProperty('default');
    expect(JSON.stringify([schemas, document.paths, document.components.parameters])).not.toContain(
      '"default":',
    );
    expect(schemas.EmbedForm.properties.quality.description).toMatch(/ Default: `true`\.$/);
  });

  it('gives options in the query no example, which a page would send', () => {
    for (const path of ['/v1/embed', '/v1/compare']) {
      for (const parameter of parametersOf(document, path))
        expect([parameter, parameter.schema].some((one) => 'example' in one)).toBe(false);
    }
  });

  it('describes every transport of an image, and its options', () => {
    const transports = ['', '/form', '/image', '/lines'].map((end) => {
      const { requestBody } = document.paths[`/v1/embed${end}`].post;
      return Object.keys(requestBody.content);
    });
    expect(transports).toEqual([
      ['application/json'],
      ['multipart/form-data'],
      ['application/octet-stream'],
      ['application/json'],
    ]);
    expect(parametersOf(document, '/v1/embed').map(({ name }) => name)).toEqual([
      'faces',
      'encoding_format',
      'detection',
      'detection_threshold',
      'orientation',
      'quality',
      'min_quality',
      'min_face_size',
      'return_face',
      'liveness',
      'face_format',
      'aligned',
      'fuse',
    ]);
  });

  it('describes how far a picture was turned, wherever that is answered', () => {
    for (const name of ['EmbeddedFace', 'EmbeddedFaces', 'FaceResult', 'FacesResult', 'ComparedFace']) {
      const { properties, required } = document.components.schemas[name];
      expect(resolve(document, properties.rotation)).toMatchObject({ type: 'integer', enum: [90, 180, 270] });
      expect(required).not.toContain('rotation');
    }
  });

  it('describes a batch in JSON and in a form, and its answer as JSON and as lines', () => {
    const { requestBody, responses } = document.paths['/v1/embed'].post;
    const { schemas } = document.components;
    expect(requestBody.content['application/json'].schema.oneOf).toEqual([
      { $ref: '#/components/schemas/EmbedRequest' },
      { $ref: '#/components/schemas/EmbedBatchRequest' },
    ]);
    expect(schemas.EmbedBatchRequest.required).toEqual(['images']);
    expect(schemas.EmbedForm.properties.image.type).toBe('array');
    expect(responses[200].content['application/json'].schema).toEqual({
      $ref: '#/components/schemas/EmbedResponse',
    });
    expect(schemas.EmbedResponse.oneOf).toContainEqual({ $ref: '#/components/schemas/EmbeddedBatch' });
    const lines = document.paths['/v1/embed/lines'].post.responses;
    expect(lines[200].content['application/x-ndjson'].schema).toEqual({
      $ref: '#/components/schemas/EmbedLine',
    });
    const results = ['FaceResult', 'FacesResult', 'FailedResult', 'AlignedFaceResult'];
    expect(schemas.EmbedResult.oneOf).toEqual(
      results.map((name) => ({ $ref: `#/components/schemas/${name}` })),
    );
    for (const name of results) {
      expect(schemas[name].required).toContain('index');
      expect(schemas[name].required).not.toContain('model');
    }
    const template = { $ref: '#/components/schemas/Template' };
    expect(schemas.EmbeddedBatch.properties.template).toEqual(template);
    expect(schemas.EmbedEnd.properties.template).toEqual(template);
    expect(schemas.EmbedEnd.required).not.toContain('template');
    expect(schemas.FusedTemplate.required).toEqual(['embedding', 'used', 'outliers']);
  });

  it('references only what exists', () => {
    for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
      expect(resolve(document, { $ref: reference })).toBeDefined();
    }
  });
});

describe('GET /docs', () => {
  it('loads nothing from other origins', async () => {
    const response = await app.request('/docs');
    expect(response.status).toBe(200);
    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    const html = await response.text();
    const addresses = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address as string);
    expect(addresses.filter((address) => /^(https?:)?\/\//.test(address))).toEqual([]);
    for (const address of addresses.filter((one) => !one.startsWith('data:'))) {
      const file = await app.request(`/${address}`);
      // Of another version than the page after an upgrade, if it was taken from the browser unasked.
      expect([file.status, file.headers.get('cache-control')]).toEqual([200, 'no-cache']);
    }
  });

  it('is the same page at /docs/, with addresses that lead to the same files', async () => {
    const [page, below] = await Promise.all(
      ['/docs', '/docs/'].map(async (path) => (await app.request(path)).text()),
    );
    expect(below?.replace('<base href="..">\n', '')).toBe(page);
    expect(below).not.toBe(page);
  });
});
