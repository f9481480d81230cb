import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkerConcurrency } from '../../src/engine/concurrency.ts';
import { ProtectingTransform } from '../../src/protection/transform.ts';
import { encodeEmbedding } from '../../src/similarity/embedding.ts';
import { key, SECRET } from '../protection/keys.ts';
import { startEngine, testConfig } from '../support/engine/engines.ts';
import { answerOf } from '../support/http/answer.ts';
import { assembleApp } from '../support/http/app.ts';
import { cosine } from '../support/numbers.ts';
import { blobsPng } from '../support/pictures.ts';

const [picture, other] = [await blobsPng(1), await blobsPng(2)];
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

type Service = Awaited<ReturnType<typeof serve>>;

/** Serves the synthetic pack. */
async function serve(environment: Record<string, string>, concurrency?: WorkerConcurrency) {
  const config = testConfig(environment);
  const engine = await startEngine(config, concurrency);
  const { app, json } = assembleApp(config, engine);
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    app.request(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  return {
    get: async (path: string) => (await app.request(path)).text(),
    post: async (path: string, body: unknown) => answerOf(await post(path, body)),
    postForLines: async (path: string, body: unknown) =>
      (await (await post(path, body, { Accept: 'application/x-ndjson' })).text()).trimEnd().split('\n'),
    close: () => Promise.all([engine.close(), json.close()]),
  };
}

let plain: Service;
let keyed: Service;
beforeAll(async () => {
  plain = await serve({});
  keyed = await serve({ EMBEDDING_KEY: `test=${SECRET}` });
});
afterAll(() => Promise.all([plain.close(), keyed.close()]));

const transform = new ProtectingTransform(key('test'), 512);

/** What the service without a key answers, protected here. */
async function expectedFor(image: Uint8Array): Promise<Float32Array<ArrayBuffer>> {
  const { body } = await plain.post('/v1/embed', { image: base64(image), encoding_format: 'base64' });
  const bytes = Buffer.from(body.embedding, 'base64');
  return transform.protect(new Float32Array(new Uint8Array(bytes).buffer));
}

describe('a service with an embedding key', () => {
  it('protects embeddings in every form in which they leave', async () => {
    const expected = await expectedFor(picture);
    const numbers = encodeEmbedding(expected, 'float');
    const text = encodeEmbedding(expected, 'base64');
    const image = base64(picture);

    const float = await keyed.post('/v1/embed', { image });
    expect(float.body.embedding).toEqual(numbers);
    expect((await keyed.post('/v1/embed', { image, encoding_format: 'base64' })).body.embedding).toBe(text);
    const all = await keyed.post('/v1/embed', { image, faces: 'all' });
    expect(all.body.faces[0].embedding).toEqual(numbers);
    const batch = await keyed.post('/v1/embed', { images: [image, base64(other)] });
    expect(batch.body.results[0].embedding).toEqual(numbers);
    const lines = await keyed.postForLines('/v1/embed', { images: [image] });
    expect(JSON.parse(lines[0] as string).embedding).toEqual(numbers);
    const compared = await keyed.post('/v1/compare', {
      query_image: image,
      reference_embeddings: [{ id: 'a', image }],
      return_embeddings: true,
    });
    expect(compared.body.query.embedding).toEqual(numbers);
    expect(compared.body.matches[0].face.embedding).toEqual(numbers);
  });

  it('answers all else as without a key, but for the embedding space', async () => {
    const body = { image: base64(picture), faces: 'all', quality: true };
    const [without, withKey] = [await plain.post('/v1/embed', body), await keyed.post('/v1/embed', body)];
    const { model, faces } = without.body;
    expect(model.embedding_space).toMatch(/^synthetic:[0-9a-f]{12}$/);
    expect(withKey.body).toEqual({
      ...without.body,
      model: { ...model, embedding_space: `${model.embedding_space}:k-test` },
      faces: [{ ...faces[0], embedding: withKey.body.faces[0].embedding }],
    });
  });

  it('protects faces that are recognised together, too', async () => {
    const batching = { windowMs: 0, maxFaces: 4 };
    const together = await serve({ EMBEDDING_KEY: `test=${SECRET}` }, { imagesPerWorker: 2, batching });
    const expected = await expectedFor(picture);
    const { body } = await together.post('/v1/embed', { image: base64(picture) });
    expect(cosine(body.embedding, expected)).toBeCloseTo(1, 6);
    await together.close();
  });

  it('shows the name of the key in the space only, and its secret nowhere', async () => {
    const info = JSON.parse(await keyed.get('/v1/model-info'));
    expect(info.embedding_space).toMatch(/:k-test$/);
    const shown = (await Promise.all(['/v1/model-info', '/metrics', '/openapi.json'].map(keyed.get))).join();
    expect(shown).toContain(info.embedding_space);
    expect(shown).not.toContain(SECRET.slice(0, 12));
  });
});

describe('comparing protected embeddings', () => {
  const distancesOf = async (service: Service) => {
    const { body } = await service.post('/v1/embed', { images: [base64(picture), base64(other)] });
    const [query, reference] = body.results.map(({ embedding }: { embedding: number[] }) => embedding);
    const { embedding_space } = body.model;
    const stored = {
      query_embedding: query,
      embedding_space,
      reference_embeddings: [{ id: 'a', embedding: reference }],
    };
    const pictures = {
      query_image: base64(picture),
      reference_embeddings: [{ id: 'a', embedding: reference, embedding_space }],
    };
    const answers = [await service.post('/v1/compare', stored), await service.post('/v1/compare', pictures)];
    return answers.map((answer) => answer.body.matches[0].distance as number);
  };

  it('gives the distances of plain ones, among stored embeddings and with pictures', async () => {
    const [without, withKey] = [await distancesOf(plain), await distancesOf(keyed)];
    for (const [i, distance] of withKey.entries()) expect(distance).toBeCloseTo(without[i] as number, 6);
  });

  it('refuses a mixture of keys, and of protected with plain embeddings or pictures', async () => {
    const space = JSON.parse(await plain.get('/v1/model-info')).embedding_space;
    const embedding = encodeEmbedding(await expectedFor(picture), 'base64');
    const reference = (embedding_space: string) => [{ id: 'a', embedding, embedding_space }];
    const mixtures: [Service, object][] = [
      [
        keyed,
        {
          query_embedding: embedding,
          embedding_space: `${space}:k-test`,
          reference_embeddings: reference(space),
        },
      ],
      [
        plain,
        {
          query_embedding: embedding,
          embedding_space: `${space}:k-test`,
          reference_embeddings: reference(`${space}:k-b`),
        },
      ],
      [keyed, { query_image: base64(picture), reference_embeddings: reference(space) }],
      [keyed, { query_image: base64(picture), reference_embeddings: reference(`${space}:k-b`) }],
      [plain, { query_image: base64(picture), reference_embeddings: reference(`${space}:k-test`) }],
    ];
    for (const [service, body] of mixtures) {
      const { status, body: answer } = await service.post('/v1/compare', body);
      expect([status, answer.error_code]).toEqual([422, 'EMBEDDING_SPACE_MISMATCH']);
    }
  });
});
