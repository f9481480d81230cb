import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { assembleApp } from '../support/app.ts';
import { startEngine, testConfig } from '../support/engines.ts';
import { type Answer, answerOf } from '../support/http.ts';
import { cosine } from '../support/numbers.ts';
import { blankPng, blobs, blobsPng } from '../support/pictures.ts';

// The real engine with the synthetic pack: everything but the weights is what runs in production.
const config = testConfig({
  MAX_IMAGE_SIZE: '200000',
  MAX_REQUEST_SIZE: '400000',
  MAX_IMAGE_PIXELS: '1000000',
});
let engine: InferenceEngine;
let app: ReturnType<typeof assembleApp>['app'];
let picture: Uint8Array<ArrayBuffer>;
let blank: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  engine = await startEngine(config);
  ({ app } = assembleApp(config, engine));
  picture = await blobsPng(1);
  blank = await blankPng();
});
afterAll(() => engine.close());

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

async function send(init: RequestInit, query = '') {
  return answerOf(await app.request(`/v1/embed${query}`, { method: 'POST', ...init }));
}

const sendJson = (body: unknown, headers: Record<string, string> = {}, query = '') =>
  send(
    {
      headers: { 'Content-Type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    },
    query,
  );

const sendRaw = (bytes: Uint8Array<ArrayBuffer>, query = '', type = 'image/png') =>
  send({ headers: { 'Content-Type': type }, body: bytes }, query);

function sendForm(parts: Record<string, string | Uint8Array<ArrayBuffer>>, query = '') {
  const form = new FormData();
  for (const [name, part] of Object.entries(parts)) {
    form.append(name, typeof part === 'string' ? part : new Blob([part]));
  }
  return send({ body: form }, query);
}

describe('POST /v1/embed', () => {
  it('answers with the embedding and where the face is', async () => {
    const { status, headers, body } = await sendJson({ image: base64(picture) });
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(Object.keys(body).sort()).toEqual(
      [
        'bbox',
        'detection_score',
        'embedding',
        'face_detected',
        'image',
        'landmarks',
        'model',
        'quality',
      ].sort(),
    );
    expect(body).toMatchObject({
      face_detected: true,
      image: { width: 320, height: 240 },
      model: {
        name: 'synthetic',
        embedding_size: 512,
        embedding_space: expect.stringMatching(/^synthetic:[0-9a-f]{12}$/),
      },
    });
    expect(body.embedding).toHaveLength(512);
    expect(Math.hypot(...body.embedding)).toBeCloseTo(1, 5);
    expect(body.detection_score).toBeGreaterThan(0.5);
    expect(body.bbox.x + body.bbox.width / 2).toBeCloseTo(160, -1);
    expect(body.landmarks).toHaveLength(5);
    // Left eye is left of the right one, and the mouth below the eyes, as seen in the picture.
    expect(body.landmarks[0][0]).toBeLessThan(body.landmarks[1][0]);
    expect(body.landmarks[3][1]).toBeGreaterThan(body.landmarks[0][1]);
  });

  it('answers the same whatever the transport', async () => {
    const { body: expected } = await sendJson({ image: base64(picture) });
    const url = Buffer.from(picture).toString('base64url');
    const answers = await Promise.all([
      sendJson({ image: `data:image/png;base64,${base64(picture)}` }),
      sendJson({ image: `data:image/jpeg;name=x.jpg;base64,${base64(picture)}` }),
      sendJson({ image: base64(picture).replace(/=+$/, '') }),
      sendJson({ image: url }),
      sendJson({ image: base64(picture).replace(/(.{76})/g, '$1\r\n') }),
      sendRaw(picture),
      sendRaw(picture, '', 'image/jpeg'),
      sendRaw(picture, '', 'application/octet-stream'),
      sendForm({ image: picture }),
    ]);
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect(body).toEqual(expected);
    }
  });

  it('takes the same options in every transport', async () => {
    const options = { faces: 'all', encoding_format: 'base64', detection_threshold: 0.3 };
    const query = '?faces=all&encoding_format=base64&detection_threshold=0.3';
    const fields = { faces: 'all', encoding_format: 'base64', detection_threshold: '0.3' };
    const answers = await Promise.all([
      sendJson({ image: base64(picture), ...options }),
      sendRaw(picture, query),
      sendForm({ ...fields, image: picture }),
      sendForm({ image: picture, ...fields }),
      sendJson({ image: base64(picture) }, {}, query),
      sendJson(
        { image: base64(picture), faces: 'all' },
        {},
        '?encoding_format=base64&detection_threshold=0.3',
      ),
      sendForm({ image: picture }, query),
      sendForm({ image: picture, faces: 'all' }, '?encoding_format=base64&detection_threshold=0.3'),
    ]);
    for (const { body } of answers) {
      expect(body).toEqual(answers[0]?.body);
      expect(body.faces[0].embedding).toHaveLength(2732);
    }
  });

  it('writes base64 that holds the same numbers as the array', async () => {
    const [numbers, text] = await Promise.all([
      sendRaw(picture),
      sendRaw(picture, '?encoding_format=base64'),
    ]);
    const floats = new Float32Array(new Uint8Array(Buffer.from(text.body.embedding, 'base64')).buffer);
    expect(Float32Array.from(numbers.body.embedding)).toEqual(floats);
  });

  it('gives equal pictures equal embeddings and different ones different', async () => {
    const jpeg = await blobs(1).jpeg({ quality: 95 }).toBuffer();
    const [first, again, other] = await Promise.all(
      [picture, new Uint8Array(jpeg), await blobsPng(2)].map((bytes) => sendRaw(bytes)),
    );
    expect(cosine(first?.body.embedding, again?.body.embedding)).toBeGreaterThan(0.98);
    expect(cosine(first?.body.embedding, other?.body.embedding)).toBeLessThan(0.5);
  });

  describe('detection=fast', () => {
    it('goes with faces=largest, and answers like the full search', async () => {
      const [fast, full] = await Promise.all([
        sendRaw(picture, '?faces=largest&detection=fast'),
        sendRaw(picture, '?faces=largest'),
      ]);
      expect(fast.status).toBe(200);
      expect(cosine(fast.body.embedding, full.body.embedding)).toBeGreaterThan(0.9);
      const form = await sendForm({ image: picture, faces: 'largest', detection: 'fast' });
      expect(form.body).toEqual(fast.body);
    });

    it.each(['single', 'all'])('does not go with faces=%s', async (faces) => {
      const answers = await Promise.all([
        sendRaw(picture, `?faces=${faces}&detection=fast`),
        sendJson({ image: base64(picture), faces, detection: 'fast' }),
        sendForm({ image: picture, faces, detection: 'fast' }),
      ]);
      for (const { status, body } of answers) {
        expect(status).toBe(400);
        expect(body).toMatchObject({
          error_code: 'INVALID_REQUEST',
          detail: expect.stringMatching(/^detection: /),
        });
      }
    });
  });

  describe('without a face', () => {
    it.each(['single', 'largest'])('faces=%s refuses', async (faces) => {
      const { status, body } = await sendRaw(blank, `?faces=${faces}`);
      expect(status).toBe(422);
      expect(body).toMatchObject({ error_code: 'NO_FACE_DETECTED', detail: '0 faces' });
    });

    it('faces=all answers with an empty list', async () => {
      const { status, body } = await sendRaw(blank, '?faces=all');
      expect(status).toBe(200);
      expect(body).toMatchObject({ faces: [], face_detected: false, image: { width: 320, height: 240 } });
      expect(body).toHaveProperty('model');
    });

    it('a threshold of 1 finds none where there is one', async () => {
      const { body } = await sendRaw(picture, '?detection_threshold=1');
      expect(body.error_code).toBe('NO_FACE_DETECTED');
    });
  });

  describe('refuses', () => {
    const expectRefusal = (answer: Answer, status: number, code: string, detail?: RegExp) => {
      expect(answer.body).toEqual({
        error: expect.any(String),
        error_code: code,
        ...(detail ? { detail: expect.stringMatching(detail) } : { detail: expect.any(String) }),
        request_id: answer.headers.get('x-request-id'),
      });
      expect(answer.status).toBe(status);
    };

    it.each([
      ['no JSON', '{"image": ', /not valid JSON/],
      ['no object', '[]', /object/],
      ['null', 'null', /object/],
      ['no image', '{}', /^image: /],
      ['an image that is no text', '{"image": 5}', /^image: /],
      ['an unknown option', '{"image": "AAAA", "face": "all"}', /face/],
      ['an unknown value', '{"image": "AAAA", "faces": "both"}', /^faces: /],
      ['an ill-typed option', '{"image": "AAAA", "detection_threshold": "0.5"}', /^detection_threshold: /],
      ['a value out of range', '{"image": "AAAA", "detection_threshold": 1.5}', /^detection_threshold: /],
    ])('JSON with %s: INVALID_REQUEST that names the field', async (_name, text, detail) => {
      expectRefusal(await sendJson(text), 400, 'INVALID_REQUEST', detail);
    });

    it('a body that is not UTF-8', async () => {
      const answer = await send({
        headers: { 'Content-Type': 'application/json' },
        body: new Uint8Array([34, 0xff, 34]),
      });
      expectRefusal(answer, 400, 'INVALID_REQUEST', /not valid JSON/);
    });

    it.each([
      '?faces=both',
      '?face=all',
      '?detection_threshold=abc',
      '?detection_threshold=2',
      '?detection_threshold=',
    ])('the query %s of a raw body', async (query) =>
      expectRefusal(await sendRaw(picture, query), 400, 'INVALID_REQUEST', /face|detection_threshold/),
    );

    it.each([
      ['?faces=all&faces=all', /^faces: given more than once in the query$/],
      ['?faces=all&face=x&face=y', /^face: given more than once in the query$/],
      ['?faces=all', /^faces: given in the query and in the body$/],
    ])('an option that is given twice: %s', async (query, detail) => {
      const given = { faces: 'all' };
      for (const answer of [
        await sendJson({ image: base64(picture), ...given }, {}, query),
        await sendJson({ images: [base64(picture)], ...given }, {}, query),
        await sendForm({ image: picture, ...given }, query),
      ]) {
        expectRefusal(answer, 400, 'INVALID_REQUEST', detail);
      }
    });

    it('an option that is given twice in the query of a raw body', async () => {
      const answer = await sendRaw(picture, '?quality=true&quality=1');
      expectRefusal(answer, 400, 'INVALID_REQUEST', /^quality: given more than once/);
    });

    it('options that contradict each other in the query and the body', async () => {
      for (const answer of [
        await sendJson({ image: base64(picture), faces: 'all' }, {}, '?detection=fast'),
        await sendForm({ image: picture, faces: 'all' }, '?detection=fast'),
      ]) {
        expectRefusal(answer, 400, 'INVALID_REQUEST', /^detection: /);
      }
    });

    it('a wrong option in the query before the body is read', async () => {
      const answer = await send(
        { headers: { 'Content-Type': 'application/json' }, body: 'not JSON' },
        '?faces=both',
      );
      expectRefusal(answer, 400, 'INVALID_REQUEST', /^faces: /);
    });

    it.each([
      ['bare text that is no base64', 'hello, world', /not valid base64/],
      ['a data URL that is not base64', 'data:image/svg+xml,<svg/>', /must be base64/],
      ['an address', 'https://example.com/face.jpg', /URLs are not fetched/],
      ['an empty text', '', /empty/],
      ['an empty data URL', 'data:image/png;base64,', /empty/],
    ])('%s: INVALID_IMAGE', async (_name, image, detail) => {
      expectRefusal(await sendJson({ image }), 422, 'INVALID_IMAGE', detail);
    });

    it('an empty raw body', async () => {
      expectRefusal(await sendRaw(new Uint8Array()), 422, 'INVALID_IMAGE', /empty/);
    });

    it('a broken picture', async () => {
      expectRefusal(await sendRaw(picture.slice(0, 500)), 422, 'INVALID_IMAGE', /broken or truncated/);
    });

    it('bytes that are no picture', async () => {
      expectRefusal(await sendRaw(new TextEncoder().encode('hello')), 415, 'UNSUPPORTED_FORMAT', /jpeg, png/);
    });

    it.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/mixed'])(
      'the media type %s',
      async (type) => {
        const answer = await send({
          headers: type ? { 'Content-Type': type } : {},
          body: new Uint8Array([1, 2]),
        });
        expectRefusal(answer, 415, 'UNSUPPORTED_MEDIA_TYPE', /application\/json/);
      },
    );

    it('a compressed body', async () => {
      const answer = await sendJson({ image: 'AAAA' }, { 'Content-Encoding': 'gzip' });
      expectRefusal(answer, 415, 'UNSUPPORTED_MEDIA_TYPE', /Content-Encoding/);
    });

    describe('what is too large', () => {
      const big = new Uint8Array(200_001);

      it.each([
        ['raw', () => sendRaw(big), 'IMAGE_TOO_LARGE'],
        ['as JSON', () => sendJson({ image: base64(big) }), 'IMAGE_TOO_LARGE'],
        ['as a form', () => sendForm({ image: big }), 'IMAGE_TOO_LARGE'],
        ['as a JSON body', () => sendJson({ image: 'A'.repeat(400_001) }), 'REQUEST_TOO_LARGE'],
        ['as a form body', () => sendForm({ image: new Uint8Array(400_001) }), 'REQUEST_TOO_LARGE'],
      ])('%s', async (_name, sendIt, code) => expectRefusal(await sendIt(), 413, code));

      it('in pixels', async () => {
        const wide = await sharp({ create: { width: 1001, height: 1000, channels: 3, background: 'grey' } })
          .png()
          .toBuffer();
        expectRefusal(
          await sendRaw(new Uint8Array(wide)),
          413,
          'IMAGE_TOO_LARGE',
          /1001000 pixels; the limit is 1000000/,
        );
      });

      it('stops reading a stream without a declared length', async () => {
        let sent = 0;
        const endless = new ReadableStream({
          pull(controller) {
            sent += 50_000;
            controller.enqueue(new Uint8Array(50_000));
          },
        });
        const answer = await send({
          headers: { 'Content-Type': 'image/png' },
          body: endless,
          duplex: 'half',
        } as RequestInit);
        expectRefusal(answer, 413, 'IMAGE_TOO_LARGE');
        expect(sent).toBeLessThan(500_000);
      });
    });

    describe('multipart', () => {
      const form = (body: string, boundary = 'x') =>
        send({ headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` }, body });
      const part = (head: string, content = 'abc') =>
        `--x\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`;

      it.each([
        ['without an image', `${part('name="faces"', 'all')}--x--\r\n`, /^image: /],
        ['with another file', `${part('name="photo"; filename="a.png"')}--x--\r\n`, /^image: /],
        ['with an unknown field', `${part('name="image"')}${part('name="color"')}--x--\r\n`, /color/],
        [
          'with a repeated field',
          `${part('name="faces"', 'all')}${part('name="faces"', 'all')}--x--\r\n`,
          /repeated/,
        ],
        ['with an endless field', `${part('name="faces"', 'a'.repeat(5000))}--x--\r\n`, /too long/],
        [
          'with another file beside the image',
          `${part('name="image"')}${part('name="photo"; filename="a.png"')}--x--\r\n`,
          /^image: /,
        ],
        ['that ends early', part('name="image"; filename="a.png"'), /not valid|incomplete/],
        ['that is something else', 'hello', /not valid/],
        ['that is empty', '', /not valid/],
        ['of empty parts', '--x\r\n\r\n\r\n'.repeat(200), /too many parts/],
        ['of bare delimiters', '--x\r\n'.repeat(200), /too many parts/],
        ['of nameless parts', '--x\r\nX-A: b\r\n\r\nc\r\n'.repeat(200), /too many parts/],
        [
          'of fields without end',
          Array.from({ length: 50 }, (_, i) => part(`name="f${i}"`)).join(''),
          /too many|not valid/,
        ],
      ])('%s: INVALID_REQUEST', async (_name, body, detail) => {
        expectRefusal(await form(body), 400, 'INVALID_REQUEST', detail);
      });

      it('without a boundary', async () => {
        const answer = await send({ headers: { 'Content-Type': 'multipart/form-data' }, body: 'hello' });
        expectRefusal(answer, 400, 'INVALID_REQUEST', /boundary/);
      });

      it('whose image part has no file name is an image all the same', async () => {
        const answer = await form(`${part('name="image"')}--x--\r\n`);
        expect(answer.body.error_code).toBe('UNSUPPORTED_FORMAT');
      });
    });
  });
});
