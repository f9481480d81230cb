import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { AppEnvironment } from '../http/context.ts';
import { headersOf } from '../http/document/headers.ts';
import { StaticAnswer } from '../http/static-answer.ts';
import type { Api } from './api.ts';
import { DOCS_ASSETS, DOCS_POLICY, docsPage } from './docs-page.ts';
import { makeOpenApiDocument } from './document/document.ts';

const documentRoute = createRoute({
  method: 'get',
  path: '/openapi.json',
  operationId: 'getOpenApiDocument',
  tags: ['Documents'],
  summary: 'The OpenAPI 3.1 document of this API',
  responses: {
    200: {
      description: 'The document.',
      content: { 'application/json': { schema: z.looseObject({}).openapi('OpenApiDocument') } },
      headers: headersOf(200, 'ETag'),
    },
    304: {
      description: 'The document is the one whose `ETag` was sent as `If-None-Match`.',
      headers: headersOf(304, 'ETag'),
    },
  },
});

const pageRoute = createRoute({
  method: 'get',
  path: '/docs',
  operationId: 'getDocumentation',
  tags: ['Documents'],
  summary: 'The interactive documentation of this API',
  responses: {
    200: { description: 'The page.', content: { 'text/html': { schema: z.string() } } },
  },
});

export function addDocsRoutes({ add, addUndocumented, config, app }: Api): void {
  // Made when it is asked for: then all routes have been added.
  const document = new StaticAnswer({
    contentType: 'application/json',
    load: () => JSON.stringify(makeOpenApiDocument(app, config.APP_NAME)),
  });
  add(documentRoute, 'everyone', (c) => document.answer(c));

  const showPage = (base?: string) => (c: Context<AppEnvironment>) => {
    c.header('Content-Security-Policy', DOCS_POLICY);
    return c.html(docsPage(config.APP_NAME, base));
  };
  add(pageRoute, 'everyone', showPage());
  addUndocumented('get', '/docs/', showPage('<base href="..">\n'));

  for (const [name, { type, load }] of Object.entries(DOCS_ASSETS)) {
    const contentType = `${type}; charset=utf-8`;
    // Files of two versions do not fit together, so a browser asks each time; what it has is answered with 304.
    const asset = new StaticAnswer({ contentType, cacheControl: 'no-cache', load });
    addUndocumented('get', `/docs/${name}`, (c) => asset.answer(c));
  }
}
