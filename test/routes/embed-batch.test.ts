import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { assembleApp } from '../support/app.ts';
import { startEngine, testConfig } from '../support/engines.ts';
import { type Answer, answerOf } from '../support/http.ts';
import { blankPng, blobsPng } from '../support/pictures.ts';

// The real engine with the synthetic pack: everything but the weights is what runs in production.
const config = testConfig({
  WORKERS: '2',
  MAX_QUEUE: '10',
  MAX_BATCH_SIZE: '6',
  MAX_IMAGE_SIZE: '200000',
  MAX_REQUEST_SIZE: '1000000',
});
let engine: InferenceEngine;
let app: ReturnType<typeof assembleApp>['app'];
let pictures: Uint8Array<ArrayBuffer>[];
let blank: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  engine = await startEngine(config);
  ({ app } = assembleApp(config, engine));
  // Of different sizes, so that they are not done in the order in which they are sent.
  pictures = await Promise.all([4, 1, 3, 2].map((size, i) => blobsPng(i + 1, size * 80, size * 60)));
  blank = await blankPng();
});
afterAll(() => engine.close());

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

const sendJson = async (body: unknown) =>
  answerOf(
    await app.request('/v1/embed', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );

async function sendForm(images: Uint8Array<ArrayBuffer>[], fields: Record<string, string> = {}) {
  const form = new FormData();
  for (const image of images) form.append('image', new Blob([image]));
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return answerOf(await app.request('/v1/embed', { method: 'POST', body: form }));
}

/** What each picture gives when it is sent alone, as the result of a batch. */
async function expectedResults(images: Uint8Array[], options: Record<string, unknown> = {}) {
  const answers = await Promise.all(images.map((image) => sendJson({ image: base64(image), ...options })));
  return answers.map(({ body: { model, ...body } }, index) => ({ index, ...body, ...requestIdOf(body) }));
}

/** Each request has its own. */
const requestIdOf = (body: Answer['body']) =>
  'request_id' in body ? { request_id: expect.any(String) } : {};

describe('a batch', () => {
  it('answers in request order what each image gives alone, in JSON and as a form', async () => {
    const results = await expectedResults(pictures);
    expect(new Set(results.map(({ embedding }) => String(embedding))).size).toBe(pictures.length);
    const { body: alone } = await sendJson({ image: base64(pictures[0] as Uint8Array) });
    const json = await sendJson({ images: pictures.map(base64) });
    expect(json.status).toBe(200);
    expect(json.headers.get('content-type')).toBe('application/json');
    expect(json.body).toEqual({ results, model: alone.model });
    const form = await sendForm(pictures);
    expect(form.status).toBe(200);
    expect(form.body).toEqual(json.body);
  });

  it('of one image in JSON is a batch all the same', async () => {
    const [picture] = pictures as [Uint8Array];
    const { status, body } = await sendJson({ images: [base64(picture)] });
    expect(status).toBe(200);
    const [result] = await expectedResults([picture]);
    expect(body.results).toEqual([result]);
    expect(body).toHaveProperty('model');
  });

  it('takes the options of a single request, for all its images', async () => {
    const images = [...pictures, blank];
    const options = { faces: 'all', encoding_format: 'base64', detection_threshold: 0.3 };
    const results = await expectedResults(images, options);
    expect(results.map(({ faces }) => faces.length)).toEqual([1, 1, 1, 1, 0]);
    const json = await sendJson({ images: images.map(base64), ...options });
    expect(json.body.results).toEqual(results);
    const form = await sendForm(images, {
      faces: 'all',
      encoding_format: 'base64',
      detection_threshold: '0.3',
    });
    expect(form.body).toEqual(json.body);
  });

  it('goes through the thread for large JSON bodies', async () => {
    const images = pictures.map(base64);
    expect(JSON.stringify({ images }).length).toBeGreaterThan(100_000);
    const { body } = await sendJson({ images: [...images, '*'] });
    expect(body.results.slice(0, 4)).toEqual(await expectedResults(pictures));
    expect(body.results[4]).toMatchObject({ index: 4, error_code: 'INVALID_IMAGE' });
  });

  it('of two equal images answers the same twice', async () => {
    const [picture] = pictures as [Uint8Array];
    const { body } = await sendJson({ images: [base64(picture), base64(picture)] });
    const [first, second] = body.results;
    expect({ ...second, index: 0 }).toEqual(first);
  });
});

describe('an image that fails', () => {
  it('does not fail its neighbours, whatever is wrong with it', async () => {
    const [picture] = pictures as [Uint8Array<ArrayBuffer>];
    const [good] = await expectedResults([picture]);
    const bad = {
      NO_FACE_DETECTED: base64(blank),
      INVALID_IMAGE: 'hello, world',
      IMAGE_TOO_LARGE: base64(new Uint8Array(200_001)),
      UNSUPPORTED_FORMAT: base64(new TextEncoder().encode('hello')),
    };
    const { status, headers, body } = await sendJson({
      images: [base64(picture), ...Object.values(bad), base64(picture)],
    });
    expect(status).toBe(200);
    expect(body.results[0]).toEqual(good);
    expect(body.results[5]).toEqual({ ...good, index: 5 });
    for (const [i, code] of Object.keys(bad).entries()) {
      expect(body.results[i + 1]).toEqual({
        index: i + 1,
        error: expect.any(String),
        error_code: code,
        detail: expect.any(String),
        request_id: headers.get('x-request-id'),
      });
    }
  });

  it('is answered as the same image alone is', async () => {
    for (const image of ['', 'https://example.com/face.jpg', 'data:image/svg+xml,<svg/>', base64(blank)]) {
      const alone = await sendJson({ image });
      const { body } = await sendJson({ images: [image] });
      expect(alone.status).not.toBe(200);
      expect(body.results).toEqual([{ index: 0, ...alone.body, request_id: expect.any(String) }]);
    }
  });

  it('may be all of them', async () => {
    const { status, body } = await sendJson({ images: ['*', '*'] });
    expect(status).toBe(200);
    expect(body.results.map(({ error_code }: Answer['body']) => error_code)).toEqual([
      'INVALID_IMAGE',
      'INVALID_IMAGE',
    ]);
    expect(body.model.name).toBe('synthetic');
  });

  it('does not in a form either', async () => {
    const [picture] = pictures as [Uint8Array<ArrayBuffer>];
    const images = [picture, new Uint8Array(200_001), picture.slice(0, 500), new Uint8Array(), picture];
    const { status, body } = await sendForm(images);
    expect(status).toBe(200);
    expect(body.results.map(({ error_code }: Answer['body']) => error_code)).toEqual([
      undefined,
      'IMAGE_TOO_LARGE',
      'INVALID_IMAGE',
      'INVALID_IMAGE',
      undefined,
    ]);
    expect(body.results[4]).toEqual({ ...body.results[0], index: 4 });
  });
});

describe('a batch that is no request', () => {
  it.each([
    ['both', { image: 'AAAA', images: ['AAAA'] }, /^image: .*images/],
    ['no image', { images: [] }, /^images: /],
    ['what is no list', { images: 'AAAA' }, /^images: /],
    ['what is no text', { images: ['AAAA', 5] }, /^images\[1\]: /],
    ['an unknown option', { images: ['AAAA'], face: 'all' }, /face/],
    ['options that contradict each other', { images: ['AAAA'], detection: 'fast' }, /^detection: /],
  ])('with %s: INVALID_REQUEST', async (_name, request, detail) => {
    const { status, body } = await sendJson(request);
    expect(status).toBe(400);
    expect(body).toMatchObject({ error_code: 'INVALID_REQUEST', detail: expect.stringMatching(detail) });
  });

  it('has more than MAX_BATCH_SIZE images: REQUEST_TOO_LARGE', async () => {
    const { status, body } = await sendJson({ images: Array(7).fill('AAAA') });
    expect(status).toBe(413);
    expect(body).toMatchObject({
      error_code: 'REQUEST_TOO_LARGE',
      detail: '7 images; the limit is 6.',
    });
  });

  it('is refused at the part too many, which is not read', async () => {
    let parts = 0;
    const endless = new ReadableStream({
      pull(controller) {
        parts++;
        const head = '--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n';
        controller.enqueue(new TextEncoder().encode(`${head}${'a'.repeat(1000)}\r\n`));
      },
    });
    const answer = await answerOf(
      await app.request('/v1/embed', {
        method: 'POST',
        headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
        body: endless,
        duplex: 'half',
      } as RequestInit),
    );
    expect(answer.status).toBe(413);
    expect(answer.body).toMatchObject({
      error_code: 'REQUEST_TOO_LARGE',
      detail: expect.stringMatching('6'),
    });
    // The stream is faster than the parser, but does not run away.
    expect(parts).toBeLessThan(40);
    expect(engine.load.admitted).toBe(0);
  });
});

describe('the places of a batch', () => {
  it('are as many as its images, and all are given back when it does not fit', async () => {
    const holding = engine.admit(8);
    const images = pictures.map(base64);
    for (const { status, headers, body } of [
      await sendJson({ images: [...images, '*'] }),
      await sendForm([...pictures, blank]),
    ]) {
      expect(status).toBe(503);
      expect(body.error_code).toBe('OVERLOADED');
      expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(engine.load.admitted).toBe(8);
    }
    expect((await sendJson({ images })).status).toBe(200);
    expect(engine.load.admitted).toBe(8);
    holding.release();
    expect(engine.load.admitted).toBe(0);
  });
});

describe('under concurrency', () => {
  it('nobody gets the answer to another picture', async () => {
    const sources = await Promise.all(Array.from({ length: 8 }, (_, i) => blobsPng(100 + i, 200, 150)));
    const expected: number[][] = [];
    for (const source of sources) expected.push((await sendJson({ image: base64(source) })).body.embedding);
    expect(new Set(expected.map(String)).size).toBe(8);
    // As many as there are places for, again and again.
    for (let round = 0; round < 3; round++) {
      const order = (shift: number, count: number) =>
        Array.from({ length: count }, (_, i) => (shift * 3 + i * 5) % 8);
      const checks = [0, 1, 2].map(async (shift) => {
        const indices = order(shift + round, 3);
        const { body } = await sendJson({ images: indices.map((i) => base64(sources[i] as Uint8Array)) });
        for (const [at, i] of indices.entries()) expect(body.results[at].embedding).toEqual(expected[i]);
      });
      const singles = [5, 6, 7].map(async (i) => {
        const { body } = await sendJson({ image: base64(sources[i] as Uint8Array) });
        expect(body.embedding).toEqual(expected[i]);
      });
      await Promise.all([...checks, ...singles]);
    }
  });
});
