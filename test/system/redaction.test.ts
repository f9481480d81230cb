import { afterEach, describe, expect, it } from 'vitest';
import { blobsPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';

const KEY = 'correct-horse-battery-staple';
const SECRET = 'embedding-secret-0123456789abcdef';

let service: ServiceProcess;
afterEach(() => service.end());

describe('the log at level trace', () => {
  it('contains no image, embedding, key or query', async () => {
    service = new ServiceProcess({
      LOG_LEVEL: 'trace',
      API_KEYS: `door=${KEY}`,
      EMBEDDING_KEY: `door=${SECRET}`,
    });
    const address = await service.ready();
    const picture = await blobsPng(5);
    const base64 = Buffer.from(picture).toString('base64');
    const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>) =>
      fetch(`${address}${path}`, { method: 'POST', body, headers: { 'X-API-Key': KEY, ...headers } });
    const json = { 'Content-Type': 'application/json' };

    const embedded = await post('/v1/embed', picture, { 'Content-Type': 'image/png' });
    const { embedding } = (await embedded.json()) as { embedding: number[] };
    const encoded = await post('/v1/embed?encoding_format=base64', picture, { 'Content-Type': 'image/png' });
    const { embedding: text } = (await encoded.json()) as { embedding: string };
    const reference_embeddings = [{ id: 'alice-in-accounting', embedding: text }];
    const requests: [string, string | Uint8Array<ArrayBuffer>, Record<string, string>][] = [
      ['/v1/embed', JSON.stringify({ image: base64 }), json],
      ['/v1/embed', JSON.stringify({ image: `data:image/png;base64,${base64.slice(0, -40)}` }), json],
      ['/v1/embed', JSON.stringify({ image: base64, [base64.slice(0, 200)]: 1 }), json],
      ['/v1/embed', `{"image": "${base64}`, json],
      ['/v1/embed', picture.slice(0, 900), { 'Content-Type': 'image/png' }],
      ['/v1/embed?faces=alice-in-accounting', picture, { 'Content-Type': 'image/png' }],
      ['/v1/embed', JSON.stringify({ images: [base64, `${base64}*`, base64.slice(0, -40)] }), json],
      ['/v1/embed', JSON.stringify({ images: [base64] }), { ...json, Accept: 'application/x-ndjson' }],
      ['/v1/compare', JSON.stringify({ query_embedding: embedding, reference_embeddings }), json],
      ['/v1/compare', JSON.stringify({ query_embedding: [...embedding, 'x'], reference_embeddings }), json],
      ['/v1/compare', JSON.stringify({ query_embedding: `${text}*`, reference_embeddings }), json],
      ['/v1/compare', JSON.stringify({ query_embedding: text }).slice(0, -5), json],
      ['/v1/compare', JSON.stringify({ query_image: base64, reference_embeddings }), json],
      ['/v1/compare', JSON.stringify({ query_image: base64.slice(0, -40), reference_embeddings }), json],
      ['/v1/nowhere/alice-in-accounting', JSON.stringify({ image: base64 }), json],
    ];
    const errors: string[] = [];
    for (const [path, body, headers] of requests) {
      const answer = await post(path, body, headers);
      const said = await answer.text();
      if (answer.status !== 200) errors.push(said);
    }
    await post('/v1/embed', picture, { 'Content-Type': 'image/png', 'X-API-Key': 'wrong-key-0123456789' });
    expect(errors.length).toBeGreaterThanOrEqual(8);
    expect(await service.stop()).toEqual({ code: 0, signal: null });

    const said = service.stdout + service.stderr;
    expect(service.log.filter(({ msg }) => msg === 'request').length).toBeGreaterThanOrEqual(14);
    const secrets = [
      ...slices(base64, 24),
      ...slices(text, 24),
      ...embedding.map((value) => String(Math.abs(value))).filter((digits) => digits.length >= 8),
      KEY,
      'embedding-secret',
      'wrong-key',
      'alice',
    ];
    expect(secrets.length).toBeGreaterThan(500);
    expect(secrets.filter((secret) => said.includes(secret))).toEqual([]);
    // Errors may quote names that the caller chose, such as that of an unknown member, but nothing of an image or embedding.
    const numbers = embedding.map((value) => String(Math.abs(value))).filter((digits) => digits.length >= 8);
    for (const secret of [...numbers, ...slices(text, 24)]) expect(errors.join()).not.toContain(secret);
  });
});

/** The text in parts of this length. */
function slices(text: string, length: number): string[] {
  return Array.from({ length: Math.floor(text.length / length) }, (_, i) =>
    text.slice(i * length, (i + 1) * length),
  );
}
