import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { answerOf } from '../../support/http/answer.ts';
import { parametersOf, resolve } from '../../support/http/openapi.ts';
import { blobsPng } from '../../support/pictures.ts';
import { base64, expectRefusal, useEmbedRoute } from './embed-requests.ts';

const route = useEmbedRoute({ ORIENTATION: 'auto' });
const photograph = await blobsPng(1);

type Options = Record<string, string | number | boolean>;

/** The options as text. */
const textsOf = (options: Options) =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)]));
const queryOf = (options: Options) => `?${new URLSearchParams(textsOf(options))}`;

/** The face of the photograph as the service returns it, and the embedding that it had. */
async function returnedFace(format: 'png' | 'jpeg') {
  const query = queryOf({ return_face: true, face_format: format, encoding_format: 'base64' });
  const { body } = await route.sendRaw(photograph, query);
  const [head, data] = body.face_image.split(',');
  return { head, bytes: new Uint8Array(Buffer.from(data, 'base64')), body };
}

/** Sends the same request in every transport. */
function sendAll(image: Uint8Array<ArrayBuffer>, options: Options) {
  return Promise.all([
    route.sendRaw(image, queryOf(options)),
    route.sendJson({ image: base64(image), ...options }),
    route.sendJson({ image: base64(image) }, {}, queryOf(options)),
    route.sendForm({ ...textsOf(options), image }),
  ]);
}

describe('face_format', () => {
  it.each(['png', 'jpeg'] as const)('%s is the format of the returned face', async (format) => {
    const { head, bytes } = await returnedFace(format);
    expect(head).toBe(`data:image/${format};base64`);
    expect(await sharp(bytes).metadata()).toMatchObject({ format, width: 112, height: 112 });
  });

  it('is jpeg by default, and without effect where no face is returned', async () => {
    const { body } = await route.sendRaw(photograph, queryOf({ return_face: true }));
    expect(body.face_image).toMatch(/^data:image\/jpeg;base64,/);
    for (const { body: other } of await sendAll(photograph, { face_format: 'png' })) {
      const { face_image: _, ...rest } = body;
      expect(other).toEqual(rest);
    }
  });

  it('refuses another format', async () => {
    for (const answer of await sendAll(photograph, { return_face: true, face_format: 'webp' })) {
      expectRefusal(answer, 400, 'INVALID_REQUEST', /face_format/);
    }
  });
});

describe('aligned=true', () => {
  it('gives a face that came back as PNG the embedding it had, bit for bit, and what its pixels show', async () => {
    const { bytes, body } = await returnedFace('png');
    const { brightness, contrast, sharpness, embedding_norm } = body.quality;
    for (const answer of await sendAll(bytes, { aligned: true, encoding_format: 'base64' })) {
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        embedding: body.embedding,
        quality: { brightness, contrast, sharpness, embedding_norm },
        face_detected: true,
        image: { width: 112, height: 112 },
        model: body.model,
      });
    }
  });

  it('also works for a JPEG, with faces=largest, without quality, and returns the face again', async () => {
    const { bytes } = await returnedFace('jpeg');
    const options = {
      aligned: true,
      faces: 'largest',
      orientation: 'exif',
      quality: false,
      return_face: true,
    };
    for (const { body } of await sendAll(bytes, { ...options, face_format: 'png' })) {
      expect(Object.keys(body)).toEqual(['embedding', 'face_image', 'face_detected', 'image', 'model']);
      const pixels = (image: Buffer | Uint8Array) => sharp(image).removeAlpha().raw().toBuffer();
      const returned = Buffer.from(body.face_image.split(',')[1], 'base64');
      expect((await pixels(returned)).equals(await pixels(bytes))).toBe(true);
    }
  });

  it('applies to each image of a batch; one that is no aligned face fails alone', async () => {
    const { bytes, body } = await returnedFace('png');
    const options = { aligned: true, encoding_format: 'base64' };
    const answers = [
      await route.sendJson({ images: [base64(bytes), base64(photograph), base64(bytes)], ...options }),
      await route.sendForm({ image: [bytes, photograph, bytes] }, queryOf(options)),
    ];
    for (const { body: answer } of answers) {
      expect(answer.results).toMatchObject([
        { index: 0, embedding: body.embedding },
        { index: 1, error_code: 'INVALID_IMAGE' },
        { index: 2, embedding: body.embedding },
      ]);
    }
  });

  it.each([
    [128, 128],
    [224, 224],
    [112, 96],
  ])('refuses a picture of %s×%s pixels, and says which size the model takes', async (width, height) => {
    const { bytes } = await returnedFace('png');
    const resized = new Uint8Array(
      await sharp(bytes).resize(width, height, { fit: 'fill' }).png().toBuffer(),
    );
    for (const answer of await sendAll(resized, { aligned: true })) {
      expectRefusal(answer, 422, 'INVALID_IMAGE', new RegExp(`${width}×${height} pixels.* 112×112`));
    }
  });

  it.each([
    ['faces', 'all'],
    ['detection', 'full'],
    ['detection_threshold', 0.4],
    ['orientation', 'auto'],
    ['min_quality', 0.5],
    ['min_face_size', 40],
  ])('refuses the option %s=%s, which needs a detected face', async (name, value) => {
    const { bytes } = await returnedFace('png');
    for (const answer of await sendAll(bytes, { aligned: true, [name]: value })) {
      expectRefusal(answer, 400, 'INVALID_REQUEST', new RegExp(`^${name}: `));
    }
  });

  it('with the value false changes nothing', async () => {
    const { body } = await route.sendRaw(photograph);
    for (const { body: other } of await sendAll(photograph, { aligned: false })) expect(other).toEqual(body);
  });
});

it('the OpenAPI document describes both options and the answer', async () => {
  const document = (await answerOf(await route.service.app.request('/openapi.json'))).body;
  const { EmbedRequest, EmbedForm, EmbeddedAlignedFace } = document.components.schemas;
  const parameters = parametersOf(document, '/v1/embed');
  for (const [name, schema] of [
    ['aligned', { type: 'boolean' }],
    ['face_format', { type: 'string', enum: ['jpeg', 'png'] }],
  ] as const) {
    const parameter = parameters.find((one: { name: string }) => one.name === name);
    expect(parameter.schema).toEqual(expect.objectContaining(schema));
    expect(parameter.schema).not.toHaveProperty('default');
    for (const { properties } of [EmbedRequest, EmbedForm])
      expect(resolve(document, properties[name])).toMatchObject(schema);
  }
  expect(EmbeddedAlignedFace.required).toContain('embedding');
  expect(EmbeddedAlignedFace.properties).not.toHaveProperty('bbox');
  // Else it would fit every face.
  expect(EmbeddedAlignedFace.not).toEqual({ required: ['bbox'] });
});
