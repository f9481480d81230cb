import { readFile } from 'node:fs/promises';
import type { Context } from 'hono';
import { builtFile, VERSION } from '../config/package.ts';
import { ERROR_CATALOGUE } from '../errors.ts';
import type { AppEnvironment } from '../http/context.ts';
import { StaticAnswer } from '../http/static-answer.ts';
import type { Api } from './api.ts';

const HTML = 'text/html; charset=utf-8';

/** What the page loads, from dist/playground/: see src/playground/. */
const ASSETS = { 'style.css': 'text/css; charset=utf-8', 'main.js': 'text/javascript; charset=utf-8' };

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // Aligned faces come as data URLs.
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** The page for people: what this is, whether it is ready, and photographs to try. It asks for a key only where calls need one. */
export function addPlaygroundRoutes({ addUndocumented, config }: Api): void {
  const load = (name: string) => readFile(builtFile(`playground/${name}`), 'utf8');
  // Files of two versions do not fit together, so a browser asks each time; what it has is answered with 304.
  const cacheControl = 'no-cache';

  const addPage = (path: string, base: string) => {
    const page = new StaticAnswer({
      contentType: HTML,
      cacheControl,
      load: async () => fill(await load('index.html'), config.APP_NAME, base),
    });
    addUndocumented('get', path, (c: Context<AppEnvironment>) => {
      c.header('Content-Security-Policy', POLICY);
      c.header('Permissions-Policy', 'camera=(self), microphone=(), geolocation=()');
      return page.answer(c);
    });
  };
  // The page's addresses are relative to the folder of `/`, so that it works behind any prefix.
  addPage('/', '');
  addPage('/playground', '');
  addPage('/playground/', '<base href="..">');

  if (config.API_PREFIX !== '') {
    // People type the prefix without the slash at its end. The address is relative, as a proxy may have put more before it.
    const folder = `${config.API_PREFIX.slice(config.API_PREFIX.lastIndexOf('/') + 1)}/`;
    addUndocumented('get', '', (c) => c.redirect(folder), '/');
  }

  for (const [name, contentType] of Object.entries(ASSETS)) {
    const asset = new StaticAnswer({ contentType, cacheControl, load: () => load(name) });
    addUndocumented('get', `/playground/${name}`, (c) => asset.answer(c));
  }
}

function fill(html: string, name: string, base: string): string {
  const errors = Object.entries(ERROR_CATALOGUE).map(([code, { action, retryable }]) => [
    code,
    { action, retryable },
  ]);
  const data = JSON.stringify({ version: VERSION, errors: Object.fromEntries(errors) });
  const values: Record<string, string> = {
    '%NAME%': name.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`),
    '%BASE%': base,
    // Nothing in it can end the element that holds it.
    '"%DATA%"': data.replaceAll('<', '\\u003c'),
  };
  return html.replace(/"%DATA%"|%NAME%|%BASE%/g, (key) => values[key] ?? '');
}
