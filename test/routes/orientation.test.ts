import { describe, expect, it } from 'vitest';
import type { OrientationMode } from '../../src/vision/pipeline.ts';
import { TinyEngine, testConfig, tinyAdmission, tinyAnswer } from '../support/engine/engines.ts';
import { answerOf } from '../support/http/answer.ts';
import { assembleApp } from '../support/http/app.ts';

// What is turned, test/accuracy/orientation.test.ts checks: the synthetic pack finds the same in every orientation.

/** An app around an engine that turns what `auto` asks it to turn. @returns also the orientations that it was asked for. */
function assemble(environment: Record<string, string> = {}) {
  const asked: (OrientationMode | undefined)[] = [];
  const engine = new TinyEngine({ phase: 'ready' }, () =>
    tinyAdmission({
      embed: async (image, { orientation }) => {
        asked.push(orientation);
        return { ...tinyAnswer(image), ...(orientation === 'auto' ? { rotation: 90 } : {}) };
      },
    }),
  );
  const { app } = assembleApp(testConfig(environment), engine);
  const post = async (path: string, body: string | FormData, type?: string) =>
    answerOf(
      await app.request(path, {
        method: 'POST',
        body,
        ...(type ? { headers: { 'Content-Type': type } } : {}),
      }),
    );
  const form = (fields: Record<string, string>) => {
    const data = new FormData();
    data.append('image', new Blob(['x']));
    for (const [name, value] of Object.entries(fields)) data.append(name, value);
    return data;
  };
  const image = Buffer.from('x').toString('base64');
  return {
    asked,
    /** Sends an image to `/v1/embed` in every transport. */
    embed: (options: Record<string, string>) => {
      const query = `/v1/embed?${new URLSearchParams(options)}`;
      return Promise.all([
        post('/v1/embed', JSON.stringify({ image, ...options }), 'application/json'),
        post('/v1/embed', form(options)),
        post(query, 'x', 'application/octet-stream'),
        post(query, JSON.stringify({ image }), 'application/json'),
        post(query, form({})),
      ]);
    },
    embedBatch: (options: object) =>
      post('/v1/embed', JSON.stringify({ images: [image, image], ...options }), 'application/json'),
    compare: (options: object, query = '') => {
      const references = [{ id: 'a', image }];
      const body = { query_image: image, reference_embeddings: references, ...options };
      return post(`/v1/compare${query}`, JSON.stringify(body), 'application/json');
    },
  };
}

describe('orientation', () => {
  it('is an option of embed in every transport, whose answer says how far the image was turned', async () => {
    const { embed, asked } = assemble();
    for (const { body } of await embed({ orientation: 'auto' })) expect(body.rotation).toBe(90);
    for (const { body } of await embed({ orientation: 'auto', faces: 'all' })) expect(body.rotation).toBe(90);
    for (const { body } of await embed({ orientation: 'exif' })) expect(body).not.toHaveProperty('rotation');
    expect(asked).toEqual([...Array(10).fill('auto'), ...Array(5).fill('exif')]);
  });

  it('applies to each image of a batch', async () => {
    const { embedBatch } = assemble();
    const { body } = await embedBatch({ orientation: 'auto' });
    expect(body.results).toMatchObject([{ rotation: 90 }, { rotation: 90 }]);
  });

  it('applies to the pictures of a comparison, in the body and in the query', async () => {
    const { compare } = assemble();
    for (const { body } of [await compare({ orientation: 'auto' }), await compare({}, '?orientation=auto')]) {
      expect(body).toMatchObject({ query: { rotation: 90 }, matches: [{ face: { rotation: 90 } }] });
    }
    const { body } = await compare({ orientation: 'exif' });
    expect(body.query).not.toHaveProperty('rotation');
  });

  it.each(['exif', 'auto'])('is %s by default with that ORIENTATION', async (orientation) => {
    const { embed, compare, asked } = assemble({ ORIENTATION: orientation });
    await embed({});
    await compare({});
    expect(asked).toEqual(Array(7).fill(orientation));
  });

  it('is refused with another value', async () => {
    const { embed, compare, asked } = assemble();
    for (const { status, body } of [
      ...(await embed({ orientation: 'upright' })),
      await compare({ orientation: 90 }),
      await compare({}, '?orientation=90'),
    ]) {
      expect(status).toBe(400);
      expect(body).toMatchObject({
        error_code: 'INVALID_REQUEST',
        detail: expect.stringMatching(/^orientation/),
      });
    }
    expect(asked).toEqual([]);
  });
});
