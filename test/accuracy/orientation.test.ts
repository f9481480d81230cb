import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { TURNS } from '../../src/vision/upright/turn.ts';
import { testConfig } from '../support/engine/engines.ts';
import { startRealEngine } from '../support/engine/real-engine.ts';
import { answerOf } from '../support/http/answer.ts';
import { assembleApp } from '../support/http/app.ts';
import { hasRealWeights, photo } from '../support/shared.ts';

/** Of one face each, but the last. */
const PHOTOS = ['lfw/Al_Gore_0002.jpg', 'lfw/Amelie_Mauresmo_0003.jpg', 'lfw/Alejandro_Toledo_0021.jpg'];

/** A turned copy without loss, in base64; of a camera's size if it is enlarged. */
async function turned(path: string, degrees: number, enlarged?: { width: number; height: number }) {
  const image = sharp(photo(path));
  const upright = await (enlarged ? image.resize({ ...enlarged, fit: 'fill' }) : image).png().toBuffer();
  return (await sharp(upright).rotate(degrees).png({ compressionLevel: 1 }).toBuffer()).toString('base64');
}

describe.skipIf(!hasRealWeights)('orientation=auto', () => {
  let engine: InferenceEngine;
  let assembled: ReturnType<typeof assembleApp>;

  const post = async (path: string, body: object) =>
    answerOf(
      await assembled.app.request(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ encoding_format: 'base64', ...body }),
      }),
    );
  /** @returns the answer without what names the request. */
  const embed = async (body: object) => {
    const { request_id: _, ...rest } = (await post('/v1/embed', body)).body;
    return rest;
  };

  beforeAll(async () => {
    engine = await startRealEngine();
    assembled = assembleApp(testConfig({ WORKERS: '2', MAX_QUEUE: '2000' }), engine);
  });
  afterAll(() => Promise.all([engine?.close(), assembled?.json.close()]));

  it.each(PHOTOS)('answers as to the upright photograph, whichever way it is turned: %s', async (path) => {
    const options = { faces: 'largest', return_face: true };
    // Higher than wide, so that a turn changes the size.
    const size = { width: 300, height: 360 };
    const upright = await turned(path, 0, size);
    const expected = await embed({ image: upright, orientation: 'exif', ...options });
    expect(expected.image).toEqual(size);
    expect(await embed({ image: upright, orientation: 'auto', ...options })).toEqual(expected);
    for (const turn of TURNS) {
      const image = await turned(path, turn, size);
      expect(await embed({ image, orientation: 'auto', ...options })).toEqual({
        ...expected,
        rotation: 360 - turn,
      });
    }
  });

  it('works for every selection of faces, and with detection=fast', async () => {
    const [path] = PHOTOS as [string];
    for (const options of [{ faces: 'single' }, { faces: 'all' }, { faces: 'largest', detection: 'fast' }]) {
      const expected = await embed({ image: await turned(path, 0), orientation: 'exif', ...options });
      const answer = await embed({ image: await turned(path, 180), orientation: 'auto', ...options });
      expect(answer).toEqual({ ...expected, rotation: 180 });
    }
  });

  it('turns each image of a batch for itself', async () => {
    const [path] = PHOTOS as [string];
    const images = await Promise.all([0, 90, 180, 270].map((degrees) => turned(path, degrees)));
    const { results } = await embed({ images, orientation: 'auto' });
    expect(results.map(({ rotation }: { rotation?: number }) => rotation)).toEqual([undefined, 270, 180, 90]);
    expect(new Set(results.map(({ embedding }: { embedding: string }) => embedding)).size).toBe(1);
  });

  it('turns the pictures of a comparison', async () => {
    const [path] = PHOTOS as [string];
    const { body } = await post('/v1/compare', {
      query_image: await turned(path, 90),
      reference_embeddings: [
        { id: 'upside down', image: await turned(path, 180) },
        { id: 'upright', image: await turned(path, 0) },
      ],
      orientation: 'auto',
    });
    expect(body.query.rotation).toBe(270);
    expect(body.matches).toMatchObject([
      { id: 'upside down', distance: 0, face: { rotation: 180 } },
      { id: 'upright', distance: 0 },
    ]);
    expect(body.matches[1].face).not.toHaveProperty('rotation');
  });

  it('leaves a group photograph as it is, and turns it back', async () => {
    const options = { faces: 'all' };
    const expected = await embed({
      image: await turned('insightface/t1.jpg', 0),
      orientation: 'exif',
      ...options,
    });
    expect(expected.faces).toHaveLength(6);
    expect(
      await embed({ image: await turned('insightface/t1.jpg', 0), orientation: 'auto', ...options }),
    ).toEqual(expected);
    expect(
      await embed({ image: await turned('insightface/t1.jpg', 90), orientation: 'auto', ...options }),
    ).toEqual({
      ...expected,
      rotation: 270,
    });
  });

  it('finds no face where there is none', async () => {
    // The corner of a photograph: background.
    const corner = await sharp(photo('lfw/Al_Gore_0002.jpg'))
      .extract({ left: 0, top: 0, width: 60, height: 60 })
      .resize(250, 250)
      .png()
      .toBuffer();
    const answer = await embed({ image: corner.toString('base64'), orientation: 'auto', faces: 'all' });
    expect(answer).toMatchObject({ faces: [], face_detected: false });
    expect(answer).not.toHaveProperty('rotation');
  });
});
