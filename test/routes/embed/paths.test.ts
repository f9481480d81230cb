import { describe, expect, it } from 'vitest';
import { EXAMPLE_PICTURES } from '../../../src/routes/document/example-pictures.ts';
import { answerOf } from '../../support/http/answer.ts';
import { useEmbedRoute } from './embed-requests.ts';

const route = useEmbedRoute();
const [url] = EXAMPLE_PICTURES;
const bytes = Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');

const form = () => {
  const data = new FormData();
  data.append('image', new Blob([bytes]));
  return data;
};
const json = (body: object) => ({
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});
const octets = { headers: { 'Content-Type': 'application/octet-stream' }, body: bytes };

const post = async (path: string, init: RequestInit) =>
  answerOf(await route.service.app.request(path, { method: 'POST', ...init }));

describe('the paths of one operation, which generated clients have a function each for', () => {
  it('give the same answer to the same image', async () => {
    const { body: expected } = await post('/v1/embed', json({ image: url }));
    expect(expected.embedding).toHaveLength(expected.model.embedding_size);
    for (const [path, init] of [
      ['/v1/embed/form', { body: form() }],
      ['/v1/embed/image', octets],
      // The main path takes all of these.
      ['/v1/embed', { body: form() }],
      ['/v1/embed', octets],
    ] as const) {
      const { status, body } = await post(path, init);
      expect([path, status, body]).toEqual([path, 200, expected]);
    }
  });

  it('give lines at /v1/embed/lines, whatever the Accept header is', async () => {
    const { headers, body } = json({ images: [url, url] });
    const response = await route.service.app.request('/v1/embed/lines?encoding_format=base64', {
      method: 'POST',
      headers: { ...headers, Accept: 'application/json' },
      body,
    });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ index, done }) => index ?? done).toSorted()).toEqual([0, 1, true]);
  });

  it('are one route in the metrics, failures included', async () => {
    await post('/v1/embed/form', json({}));
    await route.service.app.request('/v1/embed/image');
    const metrics = await (await route.service.app.request('/metrics')).text();
    expect(metrics).toContain('route="/v1/embed"');
    expect(metrics).not.toMatch(/route="\/v1\/embed\/(form|image|lines)"/);
  });
});
