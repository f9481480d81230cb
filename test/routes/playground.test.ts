import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/settings.ts';
import { ERROR_CATALOGUE } from '../../src/errors.ts';
import { TinyEngine, testConfig } from '../support/engine/engines.ts';
import { answerOf } from '../support/http/answer.ts';
import { assembleApp } from '../support/http/app.ts';

const engine = new TinyEngine({ phase: 'starting', reason: 'Loading the models.' }, () => {
  throw new Error('not reached');
});
const appWith = (settings: Partial<Config> = {}) =>
  assembleApp({ ...testConfig(), ...settings } as Config, engine).app;
const app = appWith();

/** What the browser loads with the page, its addresses relative to the page's folder. */
const assetsOf = (html: string) =>
  [...html.matchAll(/(?:src|href)="(playground\/[^"]+)"/g)].map(([, address]) => address as string);

describe('GET /', () => {
  it('is a page for people, also while the service starts, and is not sent to a browser that has it', async () => {
    const response = await app.request('/');
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    expect(response.headers.get('cache-control')).toBe('no-cache');
    const etag = response.headers.get('etag') as string;
    const again = await app.request('/', { headers: { 'If-None-Match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    expect(again.headers.get('content-security-policy')).toBe(
      response.headers.get('content-security-policy'),
    );
  });

  it('answers HEAD without a body, and no other method', async () => {
    const head = await app.request('/', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const post = await app.request('/', { method: 'POST' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('may run its own files only, call its own service only, and be framed by nobody', async () => {
    const { headers } = await app.request('/');
    const policy = Object.fromEntries(
      (headers.get('content-security-policy') ?? '').split('; ').map((directive) => {
        const [name, ...sources] = directive.split(' ');
        return [name as string, sources.join(' ')];
      }),
    );
    expect(policy).toEqual({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'img-src': "'self' data:",
      'connect-src': "'self'",
      'base-uri': "'self'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
      'require-trusted-types-for': "'script'",
      'trusted-types': "'none'",
    });
    expect(headers.get('permissions-policy')).toBe('camera=(self), microphone=(), geolocation=()');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('has no style, script or handler in its markup, and loads nothing from other origins', async () => {
    const html = await (await app.request('/')).text();
    expect(html).not.toMatch(/<style|\sstyle=|\son[a-z]+=|javascript:/i);
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    for (const [, attributes] of html.matchAll(/<script([^>]*)>/g)) {
      expect(attributes).toMatch(/src="playground\/|type="application\/json"/);
    }
  });

  it('has less than 60 kB with all that it loads', async () => {
    const html = await (await app.request('/')).text();
    const assets = assetsOf(html);
    expect(assets).toEqual(['playground/style.css', 'playground/main.js']);
    const sizes = await Promise.all(
      ['', ...assets].map(async (path) => {
        const response = await app.request(`/${path}`);
        expect(response.status).toBe(200);
        expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
        return (await response.arrayBuffer()).byteLength;
      }),
    );
    expect(Math.min(...sizes)).toBeGreaterThan(1_000);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(60_000);
  });

  it('knows what to do about each error', async () => {
    const html = await (await app.request('/')).text();
    const data = JSON.parse(/<script type="application\/json"[^>]*>(.*?)<\/script>/s.exec(html)?.[1] ?? '');
    for (const [code, { action, retryable }] of Object.entries(ERROR_CATALOGUE)) {
      expect(data.errors[code]).toEqual({ action, retryable });
    }
  });

  it('is the same page at /playground and /playground/, with addresses that lead to the same files', async () => {
    const [root, page, below] = await Promise.all(
      ['/', '/playground', '/playground/'].map(async (path) => (await app.request(path)).text()),
    );
    expect(page).toBe(root);
    expect(below?.replace('<base href="..">', '')).toBe(root);
    expect(below).not.toBe(root);
  });

  it('is called what the service is called, whatever that is', async () => {
    const html = await (await appWith({ APP_NAME: '</title><b>"&%DATA%' }).request('/')).text();
    expect(html).toContain('<title>&#60;/title&#62;&#60;b&#62;&#34;&#38;%DATA%</title>');
  });

  it('lies below API_PREFIX', async () => {
    const prefixed = appWith({ API_PREFIX: '/faces' });
    expect((await prefixed.request('/faces/')).status).toBe(200);
    expect((await prefixed.request('/faces/playground/main.js')).status).toBe(200);
    expect((await prefixed.request('/')).status).toBe(404);
  });

  it.each([
    ['/faces', 'https://host/faces', 'https://host/faces/'],
    ['/a/faces', 'https://host/below/a/faces', 'https://host/below/a/faces/'],
  ])(
    'is found at API_PREFIX %s without a slash at its end, also where a proxy has it at %s',
    async (prefix, seen, page) => {
      const response = await appWith({ API_PREFIX: prefix }).request(prefix);
      expect(response.status).toBe(302);
      expect(new URL(response.headers.get('location') ?? '', seen).href).toBe(page);
    },
  );

  it('is not there with PLAYGROUND=false, nor is anything of it', async () => {
    const without = appWith({ PLAYGROUND: false });
    for (const path of ['/', '/playground', '/playground/', '/playground/main.js', '/playground/style.css']) {
      const response = await without.request(path);
      expect([response.status, (await answerOf(response)).body.error_code]).toEqual([404, 'NOT_FOUND']);
    }
  });
});
