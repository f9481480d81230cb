import { fileURLToPath } from 'node:url';
import { serveStatic } from '@hono/node-server/serve-static';
import { type Context, Hono } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { readAudit } from './audit.ts';
import { type Backend, Refusal, refusalOf } from './backend.ts';
import { recognise } from './door.ts';
import { migrate } from './migrate.ts';
import { enrol, forget, listPeople } from './people.ts';

/** The page loads nothing from elsewhere, has no inline script, and cannot be framed. */
const SELF = ["'self'"];
const POLICY = {
  defaultSrc: SELF,
  imgSrc: ['blob:'],
  baseUri: SELF,
  formAction: SELF,
  frameAncestors: ["'none'"],
};

const ID = '/:id{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}}';

/** Of five photographs from a phone. */
const MAX_BYTES = 50 << 20;

export function createApp(backend: Backend): Hono {
  const { adminToken, doorToken } = backend.settings;
  const app = new Hono();
  app.use(secureHeaders({ contentSecurityPolicy: POLICY }));
  const tooLarge = new Refusal(413, 'REQUEST_TOO_LARGE', `The body has more than ${MAX_BYTES} bytes.`);
  app.use('/door', only(doorToken));
  for (const path of ['/people', '/people/*', '/migration', '/audit']) app.use(path, only(adminToken));
  // After the tokens: it holds a body without a length.
  const limit = bodyLimit({ maxSize: MAX_BYTES, onError: () => answer(tooLarge) });

  app.get('/healthz', async (c) => c.json(await backend.database.query('SELECT true AS healthy')));
  app.post('/door', limit, async (c) => c.json(await recognise(backend, await c.req.blob())));
  app.get('/people', async (c) => c.json(await listPeople(backend)));
  app.post('/people', limit, async (c) => {
    const { person, photographs } = await readEnrolment(c);
    return c.json(await enrol(backend, person, photographs), 201);
  });
  app.delete(`/people${ID}`, async (c) => {
    await forget(backend, c.req.param('id'));
    return c.body(null, 204);
  });
  app.post('/migration', async (c) => c.json(await migrate(backend)));
  app.get('/audit', async (c) => c.json(await readAudit(backend.database)));

  app.use(serveStatic({ root: fileURLToPath(new URL('../public', import.meta.url)) }));
  app.notFound(() => answer(new Refusal(404, 'NOT_FOUND', 'There is nothing here.')));
  app.onError((error) => {
    if (error instanceof HTTPException) return error.getResponse();
    const refusal = refusalOf(error);
    // Messages of the database may quote values.
    if (refusal.status === 500 || refusal.status === 502) console.error('code' in error ? error.code : error);
    return answer(refusal);
  });
  return app;
}

function answer({ status, code, message, more: { retryAfter, ...more } }: Refusal): Response {
  const headers: Record<string, string> = retryAfter === undefined ? {} : { 'Retry-After': `${retryAfter}` };
  return Response.json({ error: message, error_code: code, ...more }, { status, headers });
}

function only(token: string) {
  const refusal = { message: { error: 'A valid token is needed.', error_code: 'UNAUTHORIZED' } };
  const cases = {
    noAuthenticationHeader: refusal,
    invalidAuthenticationHeader: refusal,
    invalidToken: refusal,
  };
  return bearerAuth({ token, ...cases });
}

/** @throws {Refusal} INVALID_REQUEST. */
async function readEnrolment(c: Context) {
  const form = await c.req.formData().catch(() => {
    throw new Refusal(400, 'INVALID_REQUEST', 'The body must be multipart/form-data.');
  });
  const text = (name: string) => {
    const value = form.get(name);
    // PostgreSQL has no texts with a null character.
    if (typeof value === 'string' && value.trim() && /^[^\0]{1,200}$/s.test(value)) return value.trim();
    throw new Refusal(400, 'INVALID_REQUEST', `${name} must be a text of at most 200 characters.`);
  };
  const person = { name: text('name'), consentVersion: text('consent'), recordedBy: text('recorded_by') };
  return { person, photographs: form.getAll('photograph').filter((part) => typeof part !== 'string') };
}
