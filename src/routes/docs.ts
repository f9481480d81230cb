import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { AppEnvironment } from '../http/context.ts';
import { headersOf } from '../http/document/headers.ts';
import { StaticAnswer } from '../http/static-answer.ts';
import type { Api } from './api.ts';
import { makeOpenApiDocument } from './document/document.ts';

/** The folder of Swagger UI's built files, which this service serves to its page. */
const SWAGGER_UI = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

const DOCS_ASSETS: Record<string, { type: string; load: () => Promise<string> }> = {
  'swagger-ui.css': { type: 'text/css', load: () => readFile(join(SWAGGER_UI, 'swagger-ui.css'), 'utf8') },
  'swagger-ui-bundle.js': {
    type: 'text/javascript',
    load: () => readFile(join(SWAGGER_UI, 'swagger-ui-bundle.js'), 'utf8'),
  },
  'start.js': { type: 'text/javascript', load: async () => START_SCRIPT },
};

// Without validatorUrl null, the page would send the document to a public validator.
const START_SCRIPT = `SwaggerUIBundle({
  url: new URL('openapi.json', document.baseURI).href,
  dom_id: '#docs',
  deepLinking: true,
  validatorUrl: null,
});
`;

/** @param base an element that says what the page's addresses are relative to, if not to its own. */
const page = (title: string, base = '') => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)}</title>
${base}<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
].join('; ');

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
    c.header('Content-Security-Policy', PAGE_POLICY);
    return c.html(page(config.APP_NAME, base));
  };
  add(pageRoute, 'everyone', showPage());
  addUndocumented('get', '/docs/', showPage('<base href="..">\n'));

  for (const [name, { type, load }] of Object.entries(DOCS_ASSETS)) {
    const contentType = `${type}; charset=utf-8`;
    const asset = new StaticAnswer({ contentType, cacheControl: 'public, max-age=3600', load });
    addUndocumented('get', `/docs/${name}`, (c) => asset.answer(c));
  }
}
