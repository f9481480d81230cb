import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { fitSimilarity, landmarkTemplate, warpFace } from '../../../src/vision/align/alignment.ts';
import { decodePicture } from '../../../src/vision/decode/decode.ts';
import { type Answer, answerOf } from '../../support/http/answer.ts';
import { blankPng, blobsPng } from '../../support/pictures.ts';
import { base64, useEmbedRoute } from './embed-requests.ts';

const route = useEmbedRoute();
const picture = await blobsPng(1);

type Options = Record<string, string | number | boolean>;

/** The options as text. */
const texts = (options: Options) =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)]));

const sendJson = (options: Options = {}, image = picture) =>
  route.sendJson({ image: base64(image), ...options });
const sendRaw = (options: Options = {}) => route.sendRaw(picture, `?${new URLSearchParams(texts(options))}`);
const sendForm = (options: Options = {}) => route.sendForm({ ...texts(options), image: picture });

/** Sends the same request in every transport. */
const sendAll = (options: Options) =>
  Promise.all([sendJson(options), sendRaw(options), sendForm(options)] as const);

describe('quality', () => {
  it('is returned for every face unless quality=false', async () => {
    const { body } = await sendRaw();
    expect(body.quality).toEqual({
      brightness: expect.any(Number),
      contrast: expect.any(Number),
      sharpness: expect.any(Number),
      size: expect.any(Number),
      pose: { roll: expect.any(Number), yaw: expect.any(Number), pitch: expect.any(Number) },
      margin: expect.any(Number),
      embedding_norm: expect.any(Number),
      score: expect.any(Number),
    });
    const list = await sendRaw({ faces: 'all' });
    expect(list.body.faces[0].quality).toEqual(body.quality);
    for (const { body: without } of await sendAll({ quality: false })) {
      const { quality: _, ...rest } = body;
      expect(without).toEqual(rest);
    }
  });

  it('consists of numbers of at most four digits within their ranges', async () => {
    const { body } = await sendRaw();
    const { pose, size, embedding_norm, ...shares } = body.quality;
    for (const value of Object.values(shares)) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1);
    }
    for (const value of [...Object.values<number>({ ...shares, ...pose }), size, embedding_norm]) {
      expect(Number(value.toPrecision(4))).toBe(value);
    }
    expect(size).toBeCloseTo(Math.min(body.bbox.width, body.bbox.height), 0);
    expect(embedding_norm).toBeGreaterThan(0);
  });

  it('does not change the embedding, whatever the options are', async () => {
    const answers = await Promise.all(
      [{}, { quality: false }, { return_face: true }, { min_quality: 0 }].map((options) =>
        sendRaw({ encoding_format: 'base64', ...options }),
      ),
    );
    expect(new Set(answers.map(({ body }) => body.embedding)).size).toBe(1);
  });
});

describe.each([
  ['min_quality', { min_quality: 1 }, /^[a-z ]+(, [a-z ]+)*$/],
  ['min_quality, with quality=false', { min_quality: 1, quality: false }, /^[a-z ]+(, [a-z ]+)*$/],
  ['min_face_size', { min_face_size: 10_000 }, /^come closer$/],
  ['min_face_size, with quality=false', { min_face_size: 10_000, quality: false }, /^come closer$/],
  ['both limits', { min_face_size: 10_000, min_quality: 1 }, /^come closer/],
])('a face below %s', (_name, options: Options, detail) => {
  const expectRefusal = ({ status, body, headers }: Answer) => {
    expect(status).toBe(422);
    expect(body).toEqual({
      error: expect.any(String),
      error_code: 'LOW_QUALITY',
      detail: expect.stringMatching(detail),
      request_id: headers.get('x-request-id'),
    });
  };

  it('is refused in every transport', async () => {
    for (const answer of await sendAll(options)) expectRefusal(answer);
    expectRefusal(await sendJson({ ...options, faces: 'largest' }));
  });

  it('stays in the list of faces=all with low_quality and without embedding', async () => {
    const { body: good } = await sendRaw({ faces: 'all' });
    const { embedding: _, quality, ...face } = good.faces[0];
    for (const { status, body } of await sendAll({ ...options, faces: 'all' })) {
      expect(status).toBe(200);
      expect(body.face_detected).toBe(true);
      expect(body.faces).toHaveLength(1);
      const [{ low_quality, quality: returned, ...rest }] = body.faces;
      expect(rest).toEqual(face);
      expect(low_quality.join(', ')).toMatch(detail);
      if (options.quality === false) expect(returned).toBeUndefined();
      else expect(quality).toMatchObject(returned);
      // A face below min_face_size is not passed to the recogniser, which measures the score.
      if (returned) expect('score' in returned).toBe(!('min_face_size' in options));
    }
  });
});

it('a face above both limits is answered as without them', async () => {
  const { body } = await sendRaw();
  const { score, size } = body.quality;
  const limits = { min_quality: score - 0.001, min_face_size: size - 1 };
  for (const answer of await sendAll(limits)) expect(answer.body).toEqual(body);
});

it('a picture without a face is answered as without limits', async () => {
  const { body } = await sendJson({ min_quality: 1, faces: 'all' }, await blankPng());
  expect(body.faces).toEqual([]);
  const refused = await sendJson({ min_quality: 1 }, await blankPng());
  expect(refused.body.error_code).toBe('NO_FACE_DETECTED');
});

describe('return_face', () => {
  it('returns the aligned face as a JPEG of 112×112 pixels', async () => {
    const [{ body }, ...others] = await sendAll({ return_face: true });
    for (const other of others) expect(other.body).toEqual(body);
    const [head, data] = body.face_image.split(',');
    expect(head).toBe('data:image/jpeg;base64');
    const jpeg = Buffer.from(data, 'base64');
    expect((await sharp(jpeg).metadata()).format).toBe('jpeg');
    const { data: pixels, width, height } = await decodePicture(new Uint8Array(jpeg), 1e6);
    expect([width, height]).toEqual([112, 112]);

    const aligned = new Uint8Array(112 * 112 * 3);
    const transform = fitSimilarity(body.landmarks.flat(), landmarkTemplate(112));
    warpFace(await decodePicture(picture, 1e6), transform, 112, aligned);
    const difference = aligned.reduce((sum, level, i) => sum + Math.abs(level - (pixels[i] as number)), 0);
    expect(difference / aligned.length).toBeLessThan(2);
  });

  it('also returns a face below a limit with faces=all', async () => {
    const { body } = await sendRaw({ return_face: true, faces: 'all', min_face_size: 10_000 });
    expect(body.faces[0].face_image).toMatch(/^data:image\/jpeg;base64,/);
    expect(body.faces[0]).not.toHaveProperty('embedding');
  });

  it('returns no face by default or with false', async () => {
    const answers = [await sendRaw(), await sendRaw({ return_face: false })];
    for (const { body } of answers) expect(body).not.toHaveProperty('face_image');
  });
});

describe('an invalid option', () => {
  it.each([
    ['quality', 'yes'],
    ['quality', 2],
    ['min_quality', 1.1],
    ['min_quality', -0.1],
    ['min_quality', 'high'],
    ['min_quality', ''],
    ['min_face_size', -1],
    ['min_face_size', '9'.repeat(400)],
    ['return_face', 'maybe'],
  ])('is refused with its name: %s=%s', async (name, value) => {
    for (const { status, body } of await sendAll({ [name]: value })) {
      expect(status).toBe(400);
      expect(body).toMatchObject({ error_code: 'INVALID_REQUEST', detail: expect.stringContaining(name) });
    }
  });
});

it('the OpenAPI document describes the options in every transport, the quality and the refusal', async () => {
  const document = (await answerOf(await route.service.app.request('/openapi.json'))).body;
  const operation = document.paths['/v1/embed'].post;
  const { EmbedRequest, EmbedForm, Quality } = document.components.schemas;
  for (const name of ['quality', 'min_quality', 'min_face_size', 'return_face']) {
    const parameter = operation.parameters.find((one: { name: string }) => one.name === name);
    const { type } = EmbedRequest.properties[name];
    expect(parameter).toMatchObject({ in: 'query', required: false, schema: { type } });
    expect(EmbedForm.properties[name].type).toBe(type);
  }
  expect(Object.keys(Quality.properties)).toContain('score');
  expect(operation.responses['422'].description).toContain('LOW_QUALITY');
});
