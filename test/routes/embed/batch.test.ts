import { describe, expect, it } from 'vitest';
import type { Answer } from '../../support/http/answer.ts';
import { blankPng, blobsPng } from '../../support/pictures.ts';
import { base64, useEmbedRoute } from './embed-requests.ts';

const { service, sendJson, sendForm, send } = useEmbedRoute({
  WORKERS: '2',
  MAX_QUEUE: '10',
  MAX_BATCH_SIZE: '6',
  MAX_IMAGE_SIZE: '200000',
  MAX_REQUEST_SIZE: '1000000',
});
// Of different sizes, so that they do not finish in the order in which they are sent.
const pictures = await Promise.all([4, 1, 3, 2].map((size, i) => blobsPng(i + 1, size * 80, size * 60)));
const [picture] = pictures as [Uint8Array<ArrayBuffer>];
const blank = await blankPng();

/** The results that a batch of these images must have, from a request for each. */
async function expectedResults(images: Uint8Array[], options: Record<string, unknown> = {}) {
  const answers = await Promise.all(images.map((image) => sendJson({ image: base64(image), ...options })));
  return answers.map(({ body: { model, ...body } }, index) => ({ index, ...body, ...requestIdOf(body) }));
}

/** The id differs between requests. */
const requestIdOf = (body: Answer['body']) =>
  'request_id' in body ? { request_id: expect.any(String) } : {};

describe('a batch', () => {
  it('returns the result of each image in request order, in JSON and as a form', async () => {
    const results = await expectedResults(pictures);
    expect(new Set(results.map(({ embedding }) => String(embedding))).size).toBe(pictures.length);
    const { body: single } = await sendJson({ image: base64(picture) });
    const json = await sendJson({ images: pictures.map(base64) });
    expect(json.status).toBe(200);
    expect(json.headers.get('content-type')).toBe('application/json');
    expect(json.body).toEqual({ results, model: single.model });
    const form = await sendForm({ image: pictures });
    expect(form.status).toBe(200);
    expect(form.body).toEqual(json.body);
  });

  it('of a single image in JSON is answered as a batch', async () => {
    const { status, body } = await sendJson({ images: [base64(picture)] });
    expect(status).toBe(200);
    const [result] = await expectedResults([picture]);
    expect(body.results).toEqual([result]);
    expect(body).toHaveProperty('model');
  });

  it('applies the options to all its images', async () => {
    const images = [...pictures, blank];
    const options = { faces: 'all', encoding_format: 'base64', detection_threshold: 0.3 };
    const results = await expectedResults(images, options);
    expect(results.map(({ faces }) => faces.length)).toEqual([1, 1, 1, 1, 0]);
    const json = await sendJson({ images: images.map(base64), ...options });
    expect(json.body.results).toEqual(results);
    const form = await sendForm({
      image: images,
      faces: 'all',
      encoding_format: 'base64',
      detection_threshold: '0.3',
    });
    expect(form.body).toEqual(json.body);
  });

  it('is the same when its JSON is large enough for the JSON thread', async () => {
    const images = pictures.map(base64);
    expect(JSON.stringify({ images }).length).toBeGreaterThan(100_000);
    const { body } = await sendJson({ images: [...images, '*'] });
    expect(body.results.slice(0, 4)).toEqual(await expectedResults(pictures));
    expect(body.results[4]).toMatchObject({ index: 4, error_code: 'INVALID_IMAGE' });
  });

  it('of two equal images has two equal results', async () => {
    const { body } = await sendJson({ images: [base64(picture), base64(picture)] });
    const [first, second] = body.results;
    expect({ ...second, index: 0 }).toEqual(first);
  });
});

describe('an image of a batch that fails', () => {
  it('does not affect the other images, whatever its error is', async () => {
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

  it('has the error that the same image has in a request of its own', async () => {
    for (const image of ['', 'https://example.com/face.jpg', 'data:image/svg+xml,<svg/>', base64(blank)]) {
      const single = await sendJson({ image });
      const { body } = await sendJson({ images: [image] });
      expect(single.status).not.toBe(200);
      expect(body.results).toEqual([{ index: 0, ...single.body, request_id: expect.any(String) }]);
    }
  });

  it('leaves the batch a success even if all images fail', async () => {
    const { status, body } = await sendJson({ images: ['*', '*'] });
    expect(status).toBe(200);
    expect(body.results.map(({ error_code }: Answer['body']) => error_code)).toEqual([
      'INVALID_IMAGE',
      'INVALID_IMAGE',
    ]);
    expect(body.model.name).toBe('synthetic');
  });

  it('does not affect the other images of a form', async () => {
    const images = [picture, new Uint8Array(200_001), picture.slice(0, 500), new Uint8Array(), picture];
    const { status, body } = await sendForm({ image: images });
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

describe('an invalid batch', () => {
  it.each([
    ['both image and images', { image: 'AAAA', images: ['AAAA'] }, /^image: .*images/],
    ['an empty list', { images: [] }, /^images: /],
    ['images that are not a list', { images: 'AAAA' }, /^images: /],
    ['an image that is not a string', { images: ['AAAA', 5] }, /^images\[1\]: /],
    ['an unknown option', { images: ['AAAA'], face: 'all' }, /face/],
    ['options that contradict each other', { images: ['AAAA'], detection: 'fast' }, /^detection: /],
  ])('is refused with INVALID_REQUEST: %s', async (_name, request, detail) => {
    const { status, body } = await sendJson(request);
    expect(status).toBe(400);
    expect(body).toMatchObject({ error_code: 'INVALID_REQUEST', detail: expect.stringMatching(detail) });
  });

  it('is refused with REQUEST_TOO_LARGE when it has more than MAX_BATCH_SIZE images', async () => {
    const { status, body } = await sendJson({ images: Array(7).fill('AAAA') });
    expect(status).toBe(413);
    expect(body).toMatchObject({
      error_code: 'REQUEST_TOO_LARGE',
      detail: '7 images; the limit is 6.',
    });
  });

  it('is refused at the first file part above MAX_BATCH_SIZE, without reading the rest of the form', async () => {
    let parts = 0;
    const endless = new ReadableStream({
      pull(controller) {
        parts++;
        const head = '--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n';
        controller.enqueue(new TextEncoder().encode(`${head}${'a'.repeat(1000)}\r\n`));
      },
    });
    const answer = await send({
      headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
      body: endless,
      duplex: 'half',
    } as RequestInit);
    expect(answer.status).toBe(413);
    expect(answer.body).toMatchObject({
      error_code: 'REQUEST_TOO_LARGE',
      detail: expect.stringMatching('6'),
    });
    // The stream is faster than the parser, but does not run away.
    expect(parts).toBeLessThan(40);
    expect(service.engine.load.admitted).toBe(0);
  });
});

describe('the admission of a batch', () => {
  it('takes a place for each image, and releases all of them when there are too few', async () => {
    const holding = service.engine.admit(8);
    const images = pictures.map(base64);
    for (const { status, headers, body } of [
      await sendJson({ images: [...images, '*'] }),
      await sendForm({ image: [...pictures, blank] }),
    ]) {
      expect(status).toBe(503);
      expect(body.error_code).toBe('OVERLOADED');
      expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(service.engine.load.admitted).toBe(8);
    }
    expect((await sendJson({ images })).status).toBe(200);
    expect(service.engine.load.admitted).toBe(8);
    holding.release();
    expect(service.engine.load.admitted).toBe(0);
  });
});

describe('concurrent requests', () => {
  it('get the results of their own pictures', async () => {
    const sources = await Promise.all(Array.from({ length: 8 }, (_, i) => blobsPng(100 + i, 200, 150)));
    const expected: number[][] = [];
    for (const source of sources) expected.push((await sendJson({ image: base64(source) })).body.embedding);
    expect(new Set(expected.map(String)).size).toBe(8);
    // Each round takes all places.
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
