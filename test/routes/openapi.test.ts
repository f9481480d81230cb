import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { ERROR_CATALOGUE, type ErrorCode } from '../../src/errors.ts';
import { EXAMPLE_PICTURES } from '../../src/routes/document/example-pictures.ts';
import { startEngine, testConfig } from '../support/engine/engines.ts';
import { type Answer, answerOf } from '../support/http/answer.ts';
import { assembleApp } from '../support/http/app.ts';
import { expectExamplesToSucceed, resolve } from '../support/http/openapi.ts';

/* What generators of clients, and people who press "Try it out", need of the document. */

const config = testConfig();
let engine: InferenceEngine;
let app: ReturnType<typeof assembleApp>['app'];
let document: Answer['body'];
beforeAll(async () => {
  engine = await startEngine(config);
  app = assembleApp(config, engine).app;
  document = (await answerOf(await app.request('/openapi.json'))).body;
});
afterAll(() => engine.close());

type Operation = { path: string; requestBody?: Answer['body']; responses: Record<string, Answer['body']> };

const operations = (): Operation[] =>
  Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ ...operation, path })),
  );

describe('errors', () => {
  it('have an example at each response that they belong to, which is a body of its schema', () => {
    const seen = new Set<string>();
    for (const { responses } of operations()) {
      for (const [status, { description, content }] of Object.entries(responses)) {
        if (Number(status) < 400) continue;
        const { examples, schema } = content['application/json'];
        const listed = [...description.matchAll(/^`([A-Z_]+)`:/gm)].map(([, code]) => code);
        expect(Object.keys(examples)).toEqual(listed);
        const { properties, required } = resolve(document, schema);
        for (const [code, example] of Object.entries(examples)) {
          const { value } = resolve(document, example);
          expect(value.error_code).toBe(code);
          expect(ERROR_CATALOGUE[code as ErrorCode].status).toBe(Number(status));
          expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(value)));
          expect(Object.keys(value)).toEqual(expect.arrayContaining(required));
          seen.add(code);
        }
      }
    }
    // These belong to no operation: to unknown paths and methods, and to the template of a batch.
    const { FailedTemplate } = document.components.schemas;
    const elsewhere = ['NOT_FOUND', 'METHOD_NOT_ALLOWED', FailedTemplate.example.error_code];
    expect([...seen, ...elsewhere].toSorted()).toEqual(Object.keys(ERROR_CATALOGUE).toSorted());
  });

  it('have examples like the answers of the service', async () => {
    const examples = document.components.examples;
    const send = async (path: string, body: string, type = 'application/json') =>
      (
        await answerOf(
          await app.request(path, {
            method: 'POST',
            body,
            headers: { 'Content-Type': type, 'X-Request-Id': 'one' },
          }),
        )
      ).body;
    const empty = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#777' } })
      .png()
      .toBuffer();
    const answers = [
      await send('/v1/embed?faces=none', '{}'),
      await send('/v1/embed', '', 'text/plain'),
      await send('/v1/embed', JSON.stringify({ image: empty.toString('base64') })),
      await send('/v1/compare', JSON.stringify({ query_embedding: [0, 0], reference_embeddings: [] })),
      await send('/v1/none', '{}'),
      await (await app.request('/v1/embed')).json(),
    ];
    for (const { request_id: _, ...answer } of answers) {
      const { error, error_code, detail } = examples[answer.error_code].value;
      // The accepted types depend on the path.
      const said = error_code === 'UNSUPPORTED_MEDIA_TYPE' ? expect.any(String) : detail;
      expect(answer).toEqual({ error, error_code, ...(detail && { detail: said }) });
    }
  });
});

it('names every object', () => {
  const inline: string[] = [];
  const visit = (value: unknown, path: string[]) => {
    if (typeof value !== 'object' || value === null) return;
    const { type, properties } = value as { type?: unknown; properties?: unknown };
    const isNamed = path.length === 3 && path[1] === 'schemas';
    if (type === 'object' && properties && !isNamed) inline.push(path.join('.'));
    for (const [key, member] of Object.entries(value)) {
      if (key !== 'example' && key !== 'examples') visit(member, [...path, key]);
    }
  };
  visit(document, []);
  expect(inline).toEqual([]);
  expect(Object.keys(document.components.schemas)).toEqual(
    expect.arrayContaining(['ErrorResponse', 'BoundingBox', 'ImageSize', 'EmbeddingModel', 'FaceSelection']),
  );
});

it('has one kind of body for each operation, as most generators know one only', () => {
  for (const { requestBody } of operations()) {
    if (requestBody) expect(Object.keys(requestBody.content)).toHaveLength(1);
  }
  const bytes = document.paths['/v1/embed/image'].post.requestBody.content['application/octet-stream'];
  expect(bytes.schema).toEqual({ type: 'string', format: 'binary' });
  expect(document.components.schemas.EmbedForm.properties.image.items).toEqual(bytes.schema);
});

describe('headers', () => {
  it('are declared with each response', () => {
    for (const { path, responses } of operations()) {
      for (const [status, { headers }] of Object.entries(responses)) {
        expect(Object.keys(headers)).toContain('X-Request-Id');
        expect('Retry-After' in headers).toBe(['429', '503'].includes(status));
        expect('ETag' in headers).toBe(path === '/openapi.json');
      }
    }
  });

  it('are those of the answers', async () => {
    const { headers } = await app.request('/v1/embed', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ image: EXAMPLE_PICTURES[0] }),
    });
    for (const name of Object.keys(document.paths['/v1/embed'].post.responses[200].headers))
      expect(headers.get(name)).not.toBeNull();
  });
});

it('has examples of bodies that succeed as they are', () => expectExamplesToSucceed(app));
