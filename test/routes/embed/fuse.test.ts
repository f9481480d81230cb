import { describe, expect, it } from 'vitest';
import type { EmbedAnswer } from '../../../src/engine/engine.ts';
import { ServiceError } from '../../../src/errors.ts';
import { encodeEmbedding } from '../../../src/similarity/embedding.ts';
import type { EmbedOptions } from '../../../src/vision/pipeline.ts';
import { TinyEngine, testConfig, tinyAdmission, tinyAnswer } from '../../support/engine/engines.ts';
import { type Answer, answerOf } from '../../support/http/answer.ts';
import { assembleApp } from '../../support/http/app.ts';
import { cosine } from '../../support/numbers.ts';
import { blankPng, blobsPng } from '../../support/pictures.ts';
import { base64, expectRefusal, useEmbedRoute } from './embed-requests.ts';

/** Images of one byte: the degrees of their embedding, which has two numbers; above 200 there is no face. */
const NO_FACE = 201;

function assembleDegrees(order: 'as sent' | 'last first' = 'as sent') {
  const asked: EmbedOptions[] = [];
  let waiting: (() => void)[] = [];
  const embed = async (bytes: Uint8Array, options: EmbedOptions): Promise<EmbedAnswer> => {
    const degrees = bytes[0] as number;
    asked.push(options);
    if (order === 'last first') {
      // All images wait for the last, and then finish from the last to the first.
      await new Promise<void>((resolve) => {
        waiting.unshift(resolve);
        if (waiting.length === 3) {
          const all = waiting;
          waiting = [];
          void all.reduce(async (before, each) => before.then(each), Promise.resolve());
        }
      });
    }
    if (degrees >= NO_FACE) throw new ServiceError('NO_FACE_DETECTED', { detail: '0 faces' });
    const answer = tinyAnswer(bytes);
    const [face] = answer.faces as [EmbedAnswer['faces'][number]];
    const angle = (degrees * Math.PI) / 180;
    face.embedding = Float32Array.of(Math.cos(angle), Math.sin(angle));
    return answer;
  };
  const engine = new TinyEngine({ phase: 'ready' }, () => tinyAdmission({ embed }));
  const { app } = assembleApp(testConfig({ WORKERS: '3', MAX_BATCH_SIZE: '10' }), engine);
  const sendLines = async (degrees: number[], more: object = {}, headers: Record<string, string> = {}) =>
    app.request('/v1/embed', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify({
        images: degrees.map((each) => Buffer.of(each).toString('base64')),
        fuse: true,
        ...more,
      }),
    });
  const send = async (degrees: number[], more: object = {}) => answerOf(await sendLines(degrees, more));
  return { asked, send, sendLines };
}

describe('the template of a batch', () => {
  it('is one embedding of the pictures of one person, and names those of another', async () => {
    const { send } = assembleDegrees();
    const { status, body } = await send([10, 20, 120, 30]);
    expect(status).toBe(200);
    expect(body.results).toHaveLength(4);
    expect(body.template).toEqual({ embedding: expect.anything(), used: [0, 1, 3], outliers: [2] });
    const angle = (20 * Math.PI) / 180;
    expect(cosine(body.template.embedding, [Math.cos(angle), Math.sin(angle)])).toBeCloseTo(1, 6);
  });

  it('is in the encoding of the batch', async () => {
    const { send } = assembleDegrees();
    const [floats, text] = await Promise.all(
      ['float', 'base64'].map(async (encoding_format) => (await send([10, 30], { encoding_format })).body),
    );
    const embedding = Float32Array.from(floats?.template.embedding);
    expect(text?.template.embedding).toBe(encodeEmbedding(embedding, 'base64'));
  });

  it('does not use images that failed, which are no outliers either', async () => {
    const { send } = assembleDegrees();
    const { body } = await send([NO_FACE, 10, NO_FACE, 20, 120, 30]);
    expect(body.template).toMatchObject({ used: [1, 3, 5], outliers: [4] });
    expect(body.results[0].error_code).toBe('NO_FACE_DETECTED');
  });

  it('of a single image is its embedding', async () => {
    const { send } = assembleDegrees();
    const { body } = await send([10]);
    expect(body.template).toEqual({ embedding: body.results[0].embedding, used: [0], outliers: [] });
  });

  it('is an error where no more than half of the images agree, or none has an embedding', async () => {
    const { send } = assembleDegrees();
    const error = {
      error: 'The pictures give no embedding of one person.',
      error_code: 'PICTURES_DISAGREE',
      request_id: expect.any(String),
    };
    const two = await send([10, 120]);
    expect(two.status).toBe(200);
    expect(two.body.results[1]).toHaveProperty('embedding');
    expect(two.body.template).toEqual({
      ...error,
      detail: 'No more than half of 2 images show the same person.',
    });
    const none = await send([NO_FACE, NO_FACE]);
    expect(none.body.template).toEqual({ ...error, detail: 'No image has an embedding.' });
  });

  it.each(['as sent', 'last first'] as const)(
    'is in the last line of lines that are ready %s',
    async (order) => {
      const { sendLines } = assembleDegrees(order);
      const images = [10, 120, 30, 20, 40, NO_FACE];
      const { body } = await answerOf(await sendLines(images));
      const lines = (await (await sendLines(images, {}, { Accept: 'application/x-ndjson' })).text())
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(lines).toHaveLength(7);
      expect(lines.at(-1)).toEqual({ done: true, template: body.template, model: body.model });
      expect(body.template).toMatchObject({ used: [0, 2, 3, 4], outliers: [1] });
      for (const line of lines.slice(0, -1)) expect(line).not.toHaveProperty('template');
    },
  );

  it('is made with the quality of each face, and is not there without the option', async () => {
    const { asked, send } = assembleDegrees();
    await send([10, 20], { quality: false });
    expect(asked.map(({ quality }) => quality)).toEqual([true, true]);
    const { body } = await send([10, 20], { quality: false, fuse: false });
    expect(asked.slice(2).map(({ quality }) => quality)).toEqual([false, false]);
    expect(Object.keys(body)).toEqual(['results', 'model']);
  });
});

describe('fuse with the synthetic pack', () => {
  const { sendForm, sendJson, sendRaw, send } = useEmbedRoute({ MAX_BATCH_SIZE: '4' });
  const pictures = Promise.all([blobsPng(1), blobsPng(1, 240, 180), blankPng()]);

  it('gives the same in JSON, in a form, with the option in the query, and in lines', async () => {
    const images = await pictures;
    const json = await sendJson({ images: images.map(base64), fuse: true });
    expect(json.body.template.used).toEqual([0, 1]);
    expect(json.body.results[0]).toHaveProperty('quality.score');
    const form = await sendForm({ image: images, fuse: 'true' });
    expect(form.body.template).toEqual(json.body.template);
    const query = await sendForm({ image: images }, '?fuse=true');
    expect(query.body.template).toEqual(json.body.template);
    const plain = await sendJson({ images: images.map(base64), fuse: true, quality: false });
    expect(plain.body.template).toEqual(json.body.template);
    expect(plain.body.results[0]).not.toHaveProperty('quality');
    const without = await sendJson({ images: images.map(base64) });
    const known = ({ body }: Answer) => body.results.slice(0, 2);
    expect(known(without)).toEqual(known(json));
  });

  it('is refused without a batch and with faces=all', async () => {
    const [image] = await pictures;
    const batchOnly = /^fuse: goes with a batch only/;
    expectRefusal(await sendJson({ image: base64(image), fuse: true }), 400, 'INVALID_REQUEST', batchOnly);
    expectRefusal(await sendForm({ image, fuse: 'true' }), 400, 'INVALID_REQUEST', batchOnly);
    expectRefusal(await sendRaw(image, '?fuse=true'), 400, 'INVALID_REQUEST', batchOnly);
    const all = { images: [base64(image)], fuse: true, faces: 'all' };
    expectRefusal(await sendJson(all), 400, 'INVALID_REQUEST', /^fuse: goes with faces=single/);
    expectRefusal(await sendJson({ images: [base64(image)], fuse: 'yes' }), 400, 'INVALID_REQUEST', /fuse/);
    expect((await send({ body: new FormData() }, '?fuse=perhaps')).status).toBe(400);
  });
});
