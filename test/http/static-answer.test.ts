import { gunzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { expect, it } from 'vitest';
import type { AppEnvironment } from '../../src/http/context.ts';
import { StaticAnswer } from '../../src/http/static-answer.ts';

const text = 'The same words, again and again. '.repeat(100);
const app = new Hono<AppEnvironment>();
const long = new StaticAnswer({ contentType: 'text/plain', load: () => text });
const short = new StaticAnswer({ contentType: 'text/plain', load: () => 'short' });
app.get('/long', (c) => {
  c.header('Vary', 'Origin');
  return long.answer(c);
});
app.get('/short', (c) => short.answer(c));

const get = (path: string, headers: Record<string, string> = {}) => app.request(path, { headers });

it.each(['gzip', 'br, GZIP', 'deflate, gzip;q=0.5, *;q=0'])('is compressed for "%s"', async (accepted) => {
  const response = await get('/long', { 'Accept-Encoding': accepted });
  expect(response.headers.get('content-encoding')).toBe('gzip');
  const bytes = new Uint8Array(await response.arrayBuffer());
  expect(response.headers.get('content-length')).toBe(String(bytes.length));
  expect(bytes.length).toBeLessThan(text.length / 10);
  expect(gunzipSync(bytes).toString()).toBe(text);
});

it.each(['', 'br', 'gzip;q=0', 'gzip; q=0.0', 'x-gzip2', '*'])('is as it is for "%s"', async (accepted) => {
  const response = await get('/long', { 'Accept-Encoding': accepted });
  expect(response.headers.get('content-encoding')).toBeNull();
  expect(await response.text()).toBe(text);
});

it('says that it depends on the encoding, and has an ETag for each', async () => {
  const [plain, compressed] = await Promise.all([get('/long'), get('/long', { 'Accept-Encoding': 'gzip' })]);
  for (const { headers } of [plain, compressed])
    expect(headers.get('vary')?.split(', ')).toEqual(['Origin', 'Accept-Encoding']);
  const etag = compressed.headers.get('etag') ?? '';
  expect(etag).not.toBe(plain.headers.get('etag'));
  const again = await get('/long', { 'Accept-Encoding': 'gzip', 'If-None-Match': etag });
  expect([again.status, again.headers.get('etag'), again.headers.get('content-encoding')]).toEqual([
    304,
    etag,
    null,
  ]);
});

it('is not compressed when it is short', async () => {
  const response = await get('/short', { 'Accept-Encoding': 'gzip' });
  expect([response.headers.get('vary'), response.headers.get('content-encoding')]).toEqual([null, null]);
  expect(await response.text()).toBe('short');
});
