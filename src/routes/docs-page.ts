import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/*
 * The page of /docs: Swagger UI, from two of the files of its package, and what it needs to work untouched. Everything comes from
 * this service, and nothing is sent to anywhere else.
 */

/** The folder of Swagger UI's built files. */
const SWAGGER_UI = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const fileOf = (name: string) => () => readFile(join(SWAGGER_UI, name), 'utf8');

/** What the page loads, by its name in /docs/. */
export const DOCS_ASSETS: Record<string, { type: string; load: () => Promise<string> }> = {
  'swagger-ui.css': { type: 'text/css', load: fileOf('swagger-ui.css') },
  'swagger-ui-bundle.js': { type: 'text/javascript', load: fileOf('swagger-ui-bundle.js') },
  'start.css': { type: 'text/css', load: async () => STYLE },
  'start.js': { type: 'text/javascript', load: async () => START_SCRIPT },
};

/** Swagger UI sets styles from its script, which a policy without 'unsafe-inline' allows. */
export const DOCS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** @param base an element that says what the page's addresses are relative to, if not to its own. */
export const docsPage = (title: string, base = ''): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)}</title>
${base}<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="stylesheet" href="docs/start.css">
</head>
<body>
<div id="docs"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

const STYLE = `body { margin: 0; }
/* Dark on dark otherwise; the colour of its other labels. */
.dark-mode .swagger-ui .examples-select__section-label { color: #e4e6e6; }
@media (max-width: 640px) {
  /* No operation has links, and their empty column would be beyond the edge. */
  .swagger-ui .response-col_links { display: none; }
  /* The name of an option above its description. */
  .swagger-ui table.parameters thead { display: none; }
  .swagger-ui .parameters-col_name, .swagger-ui .parameters-col_description { display: block; width: auto; }
  .swagger-ui .parameters-col_description { padding-top: 0; }
}
`;

const START_SCRIPT = `'use strict';
const address = new URL('openapi.json', document.baseURI);
// Of a page that was opened as https://name:password@…: the browser sends them itself, and fetch refuses an address that has them.
address.username = '';
address.password = '';

// Swagger UI has dark colours, and leaves it to the page when to use them.
const dark = matchMedia('(prefers-color-scheme: dark)');
const paint = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', paint);
paint();

/** Calls go to where this page comes from, also where a proxy has put the service below a path that it does not know of. */
function withServer(description) {
  const path = Object.keys(description.paths ?? {}).find((one) => address.pathname.endsWith(one));
  const prefix = path === undefined ? '' : address.pathname.slice(0, -path.length);
  return prefix === '' ? description : { servers: [{ url: address.origin + prefix }], ...description };
}

/**
 * Swagger UI sends an example, or what a schema allows first, of each option as if it was chosen. In what it gets, optional
 * parameters and fields have none, so that a call has the defaults of the service, and no option is sent twice.
 */
function withoutChoices(description) {
  const resolve = (one) =>
    one?.$ref === undefined ? one : one.$ref.split('/').slice(1).reduce((part, name) => part?.[name], description);
  for (const operation of Object.values(description.paths ?? {}).flatMap((methods) => Object.values(methods))) {
    for (const parameter of (operation.parameters ?? []).map(resolve).filter(({ required }) => !required)) {
      const { example, examples, ...schema } = resolve(parameter.schema) ?? {};
      parameter.schema = schema;
      delete parameter.example;
      delete parameter.examples;
    }
    const { schema } = operation.requestBody?.content?.['multipart/form-data'] ?? {};
    const { properties = {}, required = [] } = resolve(schema) ?? {};
    for (const [name, property] of Object.entries(properties)) {
      if (required.includes(name)) continue;
      const { $ref, examples, ...own } = { ...resolve(property), ...property };
      properties[name] = { ...own, example: '' };
    }
  }
  return description;
}

/** The first picture among the examples of the document. */
let picture;
function findPicture(description) {
  const found = /"data:(image\\/\\w+);base64,([A-Za-z0-9+/]+=*)"/.exec(JSON.stringify(description));
  if (found === null) return;
  const bytes = Uint8Array.from(atob(found[2]), (character) => character.charCodeAt(0));
  picture = new File([bytes], found[1].replace('image/', 'example.'), { type: found[1] });
}

const plugin = () => ({
  // "Send empty value", checked at first, of each option in a form: the service takes no empty option.
  components: { ParameterIncludeEmpty: () => null },
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (description) => {
          findPicture(description);
          return update(withServer(withoutChoices(description)));
        },
      },
    },
  },
});

// A document has no examples of files, so that "Execute" would fail until one is chosen: the example is, as if by hand.
const offered = new WeakSet();
function offerPicture() {
  if (picture === undefined) return;
  for (const input of document.querySelectorAll('#docs input[type=file]')) {
    if (offered.has(input)) continue;
    offered.add(input);
    const files = new DataTransfer();
    files.items.add(picture);
    input.files = files.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }
}
new MutationObserver(offerPicture).observe(document.getElementById('docs'), { childList: true, subtree: true });

SwaggerUIBundle({
  url: address.href,
  dom_id: '#docs',
  deepLinking: true,
  plugins: [plugin],
  // Otherwise it would send the document to a public validator.
  validatorUrl: null,
});
`;
