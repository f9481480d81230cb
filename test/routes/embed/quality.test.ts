import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { fitSimilarity, landmarkTemplate, warpFace } from '../../../src/vision/align/alignment.ts';
import { decodePicture } from '../../../src/vision/decode/decode.ts';
import { type Answer, answerOf } from '../../support/http/answer.ts';
import { parametersOf, resolve } from '../../support/http/openapi.ts';
import { blankPng, blobsPng } from '../../support/pictures.ts';
import { base64, useEmbedRoute } from './embed-requests.ts';

/** The words of a refusal, and the codes that they have for programs. */
const CODES: Record<string, string> = {
  'too dark': 'TOO_DARK',
  'too bright': 'TOO_BRIGHT',
  'low contrast': 'LOW_CONTRAST',
  'too blurred': 'TOO_BLURRED',
  'come closer': 'TOO_SMALL',
  'turn to the camera': 'TURNED_AWAY',
  'face cut off': 'CUT_OFF',
  'face hard to recognise': 'HARD_TO_RECOGNISE',
};
const codesOf = (words: string[]) => words.map((word) => CODES[word]);

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
  /** What is measured of the face: all of it, or what is known before recognition. */
  const measured = async () => {
    const { embedding_norm, score, ...before } = (await sendRaw()).body.quality;
    return 'min_face_size' in options ? before : { ...before, embedding_norm, score };
  };
  const refusal = async (requestId: unknown) => ({
    error: expect.any(String),
    error_code: 'LOW_QUALITY',
    detail: expect.stringMatching(detail),
    reasons: expect.any(Array),
    ...(options.quality === false ? {} : { quality: await measured() }),
    request_id: requestId,
  });
  const expectRefusal = async ({ status, body, headers }: Answer) => {
    expect(status).toBe(422);
    expect(body).toEqual(await refusal(headers.get('x-request-id')));
    expect(body.reasons).toEqual(codesOf(body.detail.split(', ')));
  };

  it('is refused in every transport, with reasons and quality', async () => {
    for (const answer of await sendAll(options)) await expectRefusal(answer);
    await expectRefusal(await sendJson({ ...options, faces: 'largest' }));
  });

  it('is refused in the same way among the results of a batch, and in its lines', async () => {
    const request = { images: [base64(picture), base64(await blankPng())], ...options };
    const { body, headers } = await route.sendJson(request);
    const [result, other] = body.results;
    expect(result).toEqual({ index: 0, ...(await refusal(headers.get('x-request-id'))) });
    expect(result.reasons).toEqual(codesOf(result.detail.split(', ')));
    expect(other.error_code).toBe('NO_FACE_DETECTED');
    expect(other).not.toHaveProperty('reasons');

    const response = await route.service.app.request('/v1/embed', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/x-ndjson' },
      body: JSON.stringify(request),
    });
    const lines = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.find(({ index }) => index === 0)).toEqual({
      ...result,
      request_id: response.headers.get('x-request-id'),
    });
  });

  it('stays in the list of faces=all with low_quality and without embedding', async () => {
    const { body: good } = await sendRaw({ faces: 'all' });
    const { embedding: _, quality, ...face } = good.faces[0];
    for (const { status, body } of await sendAll({ ...options, faces: 'all' })) {
      expect(status).toBe(200);
      expect(body.face_detected).toBe(true);
      expect(body.faces).toHaveLength(1);
      const [{ low_quality, reasons, quality: returned, ...rest }] = body.faces;
      expect(rest).toEqual(face);
      expect(low_quality.join(', ')).toMatch(detail);
      expect(reasons).toEqual(codesOf(low_quality));
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
  const { EmbedRequest, EmbedForm, Quality, QualityReason } = document.components.schemas;
  for (const name of ['quality', 'min_quality', 'min_face_size', 'return_face']) {
    const parameter = parametersOf(document, '/v1/embed').find((one) => one.name === name);
    const { type } = EmbedRequest.properties[name];
    expect(parameter).toMatchObject({ in: 'query', required: false, schema: { type } });
    expect(EmbedForm.properties[name].type).toBe(type);
  }
  expect(Object.keys(Quality.properties)).toContain('score');
  expect(operation.responses['422'].description).toContain('LOW_QUALITY');
  expect(QualityReason.enum).toEqual(Object.values(CODES));
  const refusal = operation.responses['422'].content['application/json'];
  const { properties } = resolve(document, refusal.schema);
  expect(properties.reasons.items).toEqual({ $ref: '#/components/schemas/QualityReason' });
  expect(resolve(document, refusal.examples.LOW_QUALITY).value).toMatchObject({ reasons: ['TOO_DARK'] });
});
