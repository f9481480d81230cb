import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Admission } from '../../src/engine/engine.ts';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { ServiceError } from '../../src/errors.ts';
import { encodeEmbedding } from '../../src/similarity/embedding.ts';
import { assembleApp } from '../support/app.ts';
import { startEngine, TinyEngine, testConfig } from '../support/engines.ts';
import { type Answer, answerOf } from '../support/http.ts';
import { seededRandom } from '../support/numbers.ts';
import { blankPng, blobs, blobsPng } from '../support/pictures.ts';
import { startRealEngine } from '../support/real-engine.ts';
import { FACES, hasRealWeights, photo } from '../support/shared.ts';

// The real engine with the synthetic pack: everything but the weights is what runs in production.
const config = testConfig({
  WORKERS: '2',
  MAX_BATCH_SIZE: '4',
  MAX_IMAGE_SIZE: '200000',
  MAX_REQUEST_SIZE: '2000000',
});
let engine: InferenceEngine;
let assembled: ReturnType<typeof assembleApp>;
let picture: string;
let other: string;
let blank: string;

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

beforeAll(async () => {
  engine = await startEngine(config);
  assembled = assembleApp(config, engine);
  picture = base64(await blobsPng(1));
  other = base64(await blobsPng(2));
  blank = base64(await blankPng());
});
afterAll(() => Promise.all([engine.close(), assembled.json.close()]));

async function post(path: string, body: unknown, { app } = assembled): Promise<Answer> {
  const headers = { 'Content-Type': 'application/json' };
  return answerOf(await app.request(path, { method: 'POST', headers, body: JSON.stringify(body) }));
}
const compare = (body: unknown) => post('/v1/compare', body);

async function embeddingOf(image: string): Promise<string> {
  const { body } = await post('/v1/embed', { image, faces: 'largest', encoding_format: 'base64' });
  return body.embedding;
}

function randomEmbeddings(count: number, length = 512) {
  const random = seededRandom(count);
  return Array.from({ length: count }, (_, i) => ({
    id: `random_${i}`,
    embedding: encodeEmbedding(
      Float32Array.from({ length }, () => random() - 0.5),
      'base64',
    ),
  }));
}

describe('comparing pictures', () => {
  it('tells equal ones from others, with the face of each', async () => {
    const jpeg = `data:image/jpeg;base64,${base64(await blobs(1).jpeg({ quality: 95 }).toBuffer())}`;
    const { status, headers, body } = await compare({
      query_image: picture,
      reference_embeddings: [
        { id: 'other', image: other },
        { id: 'same', image: jpeg },
      ],
      threshold: 0.3,
    });
    expect(status).toBe(200);
    expect(headers.get('server-timing')).toMatch(
      /^queue;dur=[\d.]+, compare;dur=[\d.]+, decode;dur=[\d.]+, detect;dur=[\d.]+, align;dur=[\d.]+, quality;dur=[\d.]+, recognise;dur=[\d.]+$/,
    );
    const { body: embedded } = await post('/v1/embed', { image: picture });
    const { embedding: _, face_detected: __, model, ...face } = embedded;
    expect(body).toEqual({
      query: face,
      matches: [
        {
          id: 'same',
          distance: expect.any(Number),
          similarity: expect.any(Number),
          is_match: true,
          face: expect.objectContaining({ landmarks: expect.any(Array), image: { width: 320, height: 240 } }),
        },
        expect.objectContaining({ id: 'other', is_match: false }),
      ],
      best_match: body.matches[0],
      distance_metric: 'cosine',
      threshold: 0.3,
      model,
    });
    expect(Object.keys(body.matches[0].face).sort()).toEqual(
      ['bbox', 'detection_score', 'image', 'landmarks', 'quality'].sort(),
    );
  });

  it('is comparing the embeddings that embed gives, to the last bit', async () => {
    const random = randomEmbeddings(5);
    const references = (asked: 'image' | 'embedding', value: string) => [
      ...random.slice(0, 3),
      { id: 'picture', [asked]: value },
      ...random.slice(3),
    ];
    const options = { distance_metric: 'euclidean', threshold: 1.2 };
    const asPictures = await compare({
      query_image: picture,
      reference_embeddings: references('image', other),
      ...options,
    });
    const asEmbeddings = await compare({
      query_embedding: await embeddingOf(picture),
      reference_embeddings: references('embedding', await embeddingOf(other)),
      ...options,
    });
    const withoutFaces = asPictures.body.matches.map(({ face: _, ...match }: { face: unknown }) => match);
    expect(withoutFaces).toEqual(asEmbeddings.body.matches);
    const withFace = asPictures.body.matches.filter((match: object) => 'face' in match);
    expect(withFace.map(({ id }: { id: string }) => id)).toEqual(['picture']);
  });

  it('goes with embeddings in every form', async () => {
    const random = randomEmbeddings(300);
    const block = {
      ids: random.map(({ id }) => id),
      embeddings: Buffer.concat(
        random.map(({ embedding }) => Buffer.from(embedding as string, 'base64')),
      ).toString('base64'),
    };
    const [asList, asBlock] = [
      await compare({ query_image: picture, reference_embeddings: random, top_k: 3 }),
      await compare({ query_image: picture, reference_embeddings: block, top_k: 3 }),
    ];
    expect(asList.status).toBe(200);
    expect(asBlock.body).toEqual(asList.body);
    const embedding = await embeddingOf(other);
    const many = await compare({
      query_embeddings: [
        { id: 'a', embedding },
        { id: 'b', embedding: random[0]?.embedding },
      ],
      reference_embeddings: [{ id: 'picture', image: other }, ...random.slice(0, 4)],
      top_k: 1,
    });
    expect(many.body.results).toEqual([
      {
        id: 'a',
        matches: [{ id: 'picture', distance: 0, similarity: 1, face: expect.any(Object) }],
        best_match: many.body.results[0].matches[0],
      },
      expect.objectContaining({ id: 'b', best_match: { id: 'random_0', distance: 0, similarity: 1 } }),
    ]);
    expect(many.body.model.name).toBe('synthetic');
    const none = await compare({ query_embeddings: [], reference_embeddings: [{ id: 'p', image: other }] });
    expect(none.body).toMatchObject({ results: [], model: { name: 'synthetic' } });
  });

  it('answers with the embeddings when they are asked for', async () => {
    const request = { query_image: picture, reference_embeddings: [{ id: 'p', image: other }] };
    const numbers = await compare({ ...request, return_embeddings: true });
    const { body: embedded } = await post('/v1/embed', { image: picture });
    expect(numbers.body.query.embedding).toEqual(embedded.embedding);
    expect(numbers.body.best_match.face.embedding).toHaveLength(512);
    const text = await compare({ ...request, return_embeddings: true, encoding_format: 'base64' });
    expect(text.body.query.embedding).toBe(await embeddingOf(picture));
    expect(text.body.best_match.face.embedding).toBe(await embeddingOf(other));
    const neither = await compare({ ...request, encoding_format: 'base64' });
    expect(JSON.stringify(neither.body)).not.toContain('embedding"');
  });

  it('takes the options of embed', async () => {
    const request = { query_image: picture, reference_embeddings: [] };
    for (const options of [{ detection: 'fast' }, { faces: 'single' }, { detection_threshold: 0.3 }]) {
      expect((await compare({ ...request, ...options })).status).toBe(200);
    }
    const sure = await compare({ ...request, detection_threshold: 1 });
    expect(sure.body).toMatchObject({ error_code: 'NO_FACE_DETECTED', detail: 'query_image: 0 faces' });
  });

  it('needs embeddings of the loaded model’s length and space', async () => {
    const image = { id: 'p', image: picture };
    const length = await compare({ query_embedding: [1, 2], reference_embeddings: [image] });
    expect(length.status).toBe(422);
    expect(length.body).toMatchObject({
      error_code: 'INVALID_EMBEDDING',
      detail: 'query_embedding has 2 numbers; those of pictures have 512.',
    });
    const { embedding_space } = (await compare({ query_image: picture, reference_embeddings: [] })).body
      .model;
    const [known] = randomEmbeddings(1);
    const spaced = (space: string) => [image, { ...known, embedding_space: space }];
    const right = { query_image: picture, embedding_space, reference_embeddings: spaced(embedding_space) };
    expect((await compare(right)).status).toBe(200);
    const wrong = await compare({ query_image: picture, reference_embeddings: spaced('other:1') });
    expect(wrong.status).toBe(422);
    expect(wrong.body).toMatchObject({
      error_code: 'EMBEDDING_SPACE_MISMATCH',
      detail: `reference_embeddings[1] is of other:1, pictures are of ${embedding_space}.`,
    });
  });

  describe('refuses', () => {
    const good = () => ({ id: 'good', image: picture });
    const bad = (image: string) => ({ id: 'bad', image });
    const noPicture = base64(new TextEncoder().encode('hello'));
    const cut = () => picture.slice(0, 800);

    it.each([
      ['a blank query', () => ({ query_image: blank }), 422, 'NO_FACE_DETECTED', 'query_image: 0 faces'],
      [
        'a blank reference',
        () => ({ references: [good(), bad(blank)] }),
        422,
        'NO_FACE_DETECTED',
        'reference_embeddings[1].image: 0 faces',
      ],
      [
        'several, by the first of them',
        () => ({ references: [good(), bad(noPicture), bad(blank)] }),
        415,
        'UNSUPPORTED_FORMAT',
        /^reference_embeddings\[1\]\.image: /,
      ],
      [
        'several, whatever is wrong with the later ones',
        () => ({ references: [good(), bad(blank), bad('*')] }),
        422,
        'NO_FACE_DETECTED',
        'reference_embeddings[1].image: 0 faces',
      ],
      ['a broken picture', () => ({ query_image: cut() }), 422, 'INVALID_IMAGE', /^query_image: .*broken/],
      [
        'no base64',
        () => ({ references: [good(), good(), bad('*')] }),
        422,
        'INVALID_IMAGE',
        'reference_embeddings[2].image: The image is not valid base64.',
      ],
      [
        'a large picture',
        () => ({ references: [bad('A'.repeat(300_000))] }),
        413,
        'IMAGE_TOO_LARGE',
        /^reference_embeddings\[0\]\.image: 225000 bytes; the limit is 200000/,
      ],
      [
        'too many pictures',
        () => ({ references: [good(), good(), good(), good()] }),
        413,
        'REQUEST_TOO_LARGE',
        '5 images; the limit is 4.',
      ],
      [
        'both in one reference',
        () => ({ references: [{ ...good(), embedding: [1] }] }),
        400,
        'INVALID_REQUEST',
        'reference_embeddings[0].embedding: expected exactly one of embedding, image',
      ],
      [
        'neither in a reference',
        () => ({ references: [good(), { id: 'a' }] }),
        400,
        'INVALID_REQUEST',
        'reference_embeddings[1].embedding: expected exactly one of embedding, image',
      ],
      [
        'two queries',
        () => ({ more: { query_embedding: [1] } }),
        400,
        'INVALID_REQUEST',
        /^query_embedding: /,
      ],
      ['faces=all', () => ({ more: { faces: 'all' } }), 400, 'INVALID_REQUEST', /^faces: /],
      [
        'detection=fast with faces=single',
        () => ({ more: { faces: 'single', detection: 'fast' } }),
        400,
        'INVALID_REQUEST',
        /^detection: /,
      ],
      [
        'a picture that is no text',
        () => ({ more: { query_image: 5 } }),
        400,
        'INVALID_REQUEST',
        /^query_image: /,
      ],
      [
        'an embedding that cannot be read, before anything is embedded',
        () => ({ query_image: blank, references: [good(), { id: 'a', embedding: '*' }] }),
        422,
        'INVALID_EMBEDDING',
        'reference_embeddings[1].embedding is not valid base64.',
      ],
    ])('%s', async (_name, make, status, error_code, detail) => {
      const { query_image = picture, references = [], more = {} } = make() as Record<string, unknown>;
      const answer = await compare({ query_image, reference_embeddings: references, ...(more as object) });
      expect(answer.body).toMatchObject({
        error_code,
        detail: typeof detail === 'string' ? detail : expect.stringMatching(detail),
      });
      expect(answer.status).toBe(status);
      expect(engine.load.admitted).toBe(0);
      expect(assembled.bodies.taken).toBe(0);
    });

    it('vectors beyond what all requests may hold', async () => {
      const narrow = assembleApp({ ...config, MAX_INFLIGHT_BYTES: 1_500_000 }, engine);
      const request = { query_image: picture, reference_embeddings: randomEmbeddings(250) };
      const answer = await post('/v1/compare', request, narrow);
      expect(answer.status).toBe(503);
      expect(answer.body.error_code).toBe('OVERLOADED');
      expect(narrow.bodies.taken).toBe(0);
      await narrow.json.close();
    });

    it('pictures without a model, but not embeddings', async () => {
      const unloaded = new TinyEngine({ phase: 'starting', reason: '' }, () => {
        throw new ServiceError('MODEL_NOT_LOADED', { retryAfter: 5 });
      });
      const idle = assembleApp(config, unloaded);
      const refused = await post('/v1/compare', { query_image: picture, reference_embeddings: [] }, idle);
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('5');
      expect(refused.body).not.toHaveProperty('detail');
      const [reference] = randomEmbeddings(1);
      const answered = await post(
        '/v1/compare',
        { query_embedding: reference?.embedding, reference_embeddings: [reference] },
        idle,
      );
      expect(answered.status).toBe(200);
    });
  });

  it('takes a place for each picture, and has no more at work than there are workers', async () => {
    let places = 0;
    let running = 0;
    let most = 0;
    const counting = new TinyEngine({ phase: 'ready' }, () => {
      throw new Error('not asked');
    });
    counting.model = engine.model;
    counting.admit = ((images: number): Admission => {
      places += images;
      const admission = engine.admit(images);
      return {
        ...admission,
        async embed(...job) {
          most = Math.max(most, ++running);
          const answer = await admission.embed(...job);
          running--;
          return answer;
        },
      };
    }) as never;
    const references = [1, 2, 3].map((n) => ({ id: `${n}`, image: n % 2 ? picture : other }));
    const busy = assembleApp(config, counting);
    const answer = await post(
      '/v1/compare',
      { query_image: picture, reference_embeddings: references },
      busy,
    );
    expect(answer.body.matches.map(({ id }: { id: string }) => id)).toEqual(['1', '3', '2']);
    expect(places).toBe(4);
    expect(most).toBe(2);
    expect(engine.load.admitted).toBe(0);
  });
});

describe.skipIf(!hasRealWeights)('comparing photographs', () => {
  it('tells the same person from others', async () => {
    // Of three pairs that show one person each.
    const pairs = readFileSync(join(FACES, 'lfw', 'pairs.csv'), 'utf8')
      .split(/\r?\n/)
      .filter((line) => line.endsWith(',1'))
      .slice(0, 3)
      .map((line) => line.split(',') as [string, string, string]);
    const image = (file: string) => base64(photo(`lfw/${file}`));
    const real = await startRealEngine();
    const people = assembleApp(testConfig({ WORKERS: '2' }), real);
    try {
      const request = {
        query_image: image(pairs[0]?.[0] as string),
        reference_embeddings: pairs
          .map(([, file], i) => ({ id: `person ${i}`, image: image(file) }))
          .reverse(),
        threshold: 0.7,
      };
      const { status, body } = await post('/v1/compare', request, people);
      expect(status).toBe(200);
      expect(body.best_match.id).toBe('person 0');
      expect(body.matches.map(({ is_match }: { is_match: boolean }) => is_match)).toEqual([
        true,
        false,
        false,
      ]);
    } finally {
      await Promise.all([real.close(), people.json.close()]);
    }
  });
});
