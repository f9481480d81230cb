import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { StartupError } from '../../src/errors.ts';
import { ApiKeys } from '../../src/http/auth/api-keys.ts';
import { createMetricsApp } from '../../src/routes/apps.ts';
import { assembleApp } from '../support/app.ts';
import { silentLog, TinyEngine, testConfig } from '../support/engines.ts';
import { answerOf } from '../support/http.ts';

const KEY = 'correct-horse-battery-staple';
const OTHER = 'another-key-0123456789==';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const engine = new TinyEngine({ phase: 'ready' }, () => {
  throw new Error('not reached');
});
const assemble = (environment: Record<string, string>) => assembleApp(testConfig(environment), engine);
const COMPARE = { method: 'POST', body: '{"query_embedding": [1], "reference_embeddings": []}' };

async function statusOf(
  app: ReturnType<typeof assemble>['app'],
  headers: Record<string, string>,
  path = '/v1/compare',
) {
  const init = path === '/v1/compare' ? COMPARE : {};
  return (await app.request(path, { ...init, headers: { 'Content-Type': 'application/json', ...headers } }))
    .status;
}

describe('without keys', () => {
  it('everybody may call', async () => {
    expect(await statusOf(assemble({}).app, {})).toBe(200);
  });
});

describe('with keys', () => {
  const { app } = assemble({ API_KEYS: `door=${KEY}, sha256:${sha256(OTHER)}` });

  it('refuses a request without one, and says how to send it', async () => {
    const { status, headers, body } = await answerOf(await app.request('/v1/compare', COMPARE));
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toBe('Bearer');
    expect(body).toMatchObject({ error_code: 'UNAUTHORIZED', detail: expect.stringContaining('X-API-Key') });
  });

  it.each([
    ['Authorization', `Bearer ${KEY}`, 200],
    ['Authorization', `bearer   ${KEY}`, 200],
    ['X-API-Key', KEY, 200],
    ['X-API-Key', OTHER, 200],
    ['Authorization', `Bearer ${OTHER}`, 200],
    ['Authorization', `Basic ${KEY}`, 401],
    ['X-API-Key', `${KEY}x`, 401],
    ['X-API-Key', KEY.slice(0, -1), 401],
    ['X-API-Key', sha256(OTHER), 401],
    ['X-API-Key', `sha256:${sha256(OTHER)}`, 401],
    ['X-API-Key', 'door', 401],
    ['X-API-Key', '', 401],
  ])('%s: %s', async (header, value, status) => {
    expect(await statusOf(app, { [header]: value })).toBe(status);
  });

  it('leaves the probes and the documents open, and nothing else', async () => {
    for (const path of [
      '/livez',
      '/readyz',
      '/v1/health',
      '/docs',
      '/openapi.json',
      '/docs/swagger-ui.css',
    ]) {
      expect(await statusOf(app, {}, path)).toBe(200);
    }
    for (const path of ['/v1/model-info', '/metrics']) expect(await statusOf(app, {}, path)).toBe(401);
  });

  it('does not read the body of a request it refuses', async () => {
    let pulled = 0;
    const body = new ReadableStream({ pull: () => void pulled++ }, { highWaterMark: 0 });
    const init = {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'Content-Type': 'image/png' },
    } as RequestInit;
    expect((await app.request('/v1/embed', init)).status).toBe(401);
    expect(pulled).toBe(0);
  });

  it('declares both ways in the OpenAPI document, for the routes that want a key', async () => {
    const { body } = await answerOf(await app.request('/openapi.json'));
    expect(body.components.securitySchemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
      apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
    });
    for (const path of ['/v1/embed', '/v1/compare']) {
      expect(body.paths[path].post.security).toEqual([{ bearer: [] }, { apiKey: [] }]);
      expect(body.paths[path].post.responses).toHaveProperty('401');
    }
    expect(body.paths['/livez'].get).not.toHaveProperty('security');
  });
});

describe('reading keys', () => {
  const load = (API_KEYS: string) => ApiKeys.load({ API_KEYS, API_KEYS_FILE: '' }, silentLog);
  const identify = (keys: ApiKeys, key: string) => keys.identify(new Headers({ 'X-API-Key': key }));

  it('gives each a name for the log: its own, or the beginning of its digest', () => {
    const keys = load(`door=${KEY},back.office=sha256:${sha256('k'.repeat(20))},${OTHER}`);
    expect(identify(keys, KEY)).toBe('door');
    expect(identify(keys, 'k'.repeat(20))).toBe('back.office');
    expect(identify(keys, OTHER)).toBe(`sha256:${sha256(OTHER).slice(0, 8)}`);
    expect(identify(keys, 'nobody')).toBeUndefined();
  });

  it.each(['short', 'door=short', 'sha256:123', `door=sha256:${'g'.repeat(64)}`, `${KEY} ${KEY}`])(
    'refuses %s without showing it',
    (entry) => {
      const read = () => load(`${KEY},${entry}`);
      expect(read).toThrow(StartupError);
      expect(read).toThrow('API_KEYS has a malformed key at position 2');
      expect(read).not.toThrow(entry);
    },
  );
});

describe('a key file', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'keys-')), 'keys');
  let keys: ApiKeys | undefined;
  afterEach(() => keys?.close());
  const load = () => ApiKeys.load({ API_KEYS: '', API_KEYS_FILE: file }, silentLog);
  const knows = (key: string) => keys?.identify(new Headers({ 'X-API-Key': key })) !== undefined;

  it('is read, comments left out, and read again when it changes', async () => {
    writeFileSync(file, `# of the door\ndoor=${KEY}\n\n`);
    keys = load();
    expect(knows(KEY)).toBe(true);
    writeFileSync(file, `door=${KEY}\nnew=${OTHER}\n`);
    await expect.poll(() => knows(OTHER), { timeout: 8000, interval: 100 }).toBe(true);
    // What cannot be understood changes nothing: nobody is locked out, and nobody let in.
    writeFileSync(file, 'oops');
    await new Promise((resolve) => setTimeout(resolve, 5500));
    expect([knows(KEY), knows(OTHER)]).toEqual([true, true]);
    writeFileSync(file, `new=${OTHER}\n`);
    await expect.poll(() => knows(KEY), { timeout: 8000, interval: 100 }).toBe(false);
  });

  it('that is not there, or holds no key, stops the start: the service must not stand open by mistake', () => {
    expect(() => ApiKeys.load({ API_KEYS: '', API_KEYS_FILE: `${file}.none` }, silentLog)).toThrow(/ENOENT/);
    writeFileSync(file, '# none\n');
    expect(load).toThrow('API_KEYS_FILE holds no key');
  });
});

describe('/metrics', () => {
  const TOKEN = 'metrics-token-0123456789';

  it('asks for its own token when there is one', async () => {
    const { app } = assemble({ METRICS_TOKEN: TOKEN, API_KEYS: KEY });
    expect(await statusOf(app, {}, '/metrics')).toBe(401);
    expect(await statusOf(app, { 'X-API-Key': KEY }, '/metrics')).toBe(401);
    expect(await statusOf(app, { Authorization: `Bearer ${TOKEN}` }, '/metrics')).toBe(200);
  });

  it('asks for an API key when there is no token', async () => {
    const { app } = assemble({ API_KEYS: KEY });
    expect(await statusOf(app, { 'X-API-Key': KEY }, '/metrics')).toBe(200);
  });

  it('on a port of its own asks for no API key, and has left the main one', async () => {
    const service = assemble({ METRICS_PORT: '9100', API_KEYS: KEY, API_PREFIX: '/api' });
    expect(await statusOf(service.app, { 'X-API-Key': KEY }, '/api/metrics')).toBe(404);
    const metricsApp = createMetricsApp(service);
    const answer = await metricsApp.request('/metrics');
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('face_http_requests_total');
    expect(await answerOf(await metricsApp.request('/v1/embed'))).toMatchObject({
      status: 404,
      body: { error_code: 'NOT_FOUND' },
    });
    const guarded = createMetricsApp(assemble({ METRICS_PORT: '9100', METRICS_TOKEN: TOKEN }));
    expect((await guarded.request('/metrics')).status).toBe(401);
  });
});
