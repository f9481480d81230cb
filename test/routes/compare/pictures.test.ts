import { describe, expect, it } from 'vitest';
import type { Admission } from '../../../src/engine/engine.ts';
import { TinyEngine } from '../../support/engine/engines.ts';
import { assembleApp } from '../../support/http/app.ts';
import { blobs } from '../../support/pictures.ts';
import {
  base64,
  config,
  other,
  picture,
  post,
  randomEmbeddings,
  usePictureService,
} from './picture-service.ts';

const service = usePictureService();
const compare = (body: unknown) => post(service.assembled, '/v1/compare', body);

async function embeddingOf(image: string): Promise<string> {
  const request = { image, faces: 'largest', encoding_format: 'base64' };
  return (await post(service.assembled, '/v1/embed', request)).body.embedding;
}

describe('comparing pictures', () => {
  it('matches equal pictures, and describes the face of each', async () => {
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
    const { body: embedded } = await post(service.assembled, '/v1/embed', { image: picture });
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

  it('gives the ranking of the embeddings that /v1/embed returns, to the last bit', async () => {
    const random = randomEmbeddings(5);
    const references = (member: 'image' | 'embedding', value: string) => [
      ...random.slice(0, 3),
      { id: 'picture', [member]: value },
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

  it('can be combined with embeddings in every form', async () => {
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

  it('returns the embeddings with return_embeddings, in the requested encoding', async () => {
    const request = { query_image: picture, reference_embeddings: [{ id: 'p', image: other }] };
    const numbers = await compare({ ...request, return_embeddings: true });
    const { body: embedded } = await post(service.assembled, '/v1/embed', { image: picture });
    expect(numbers.body.query.embedding).toEqual(embedded.embedding);
    expect(numbers.body.best_match.face.embedding).toHaveLength(512);
    const text = await compare({ ...request, return_embeddings: true, encoding_format: 'base64' });
    expect(text.body.query.embedding).toBe(await embeddingOf(picture));
    expect(text.body.best_match.face.embedding).toBe(await embeddingOf(other));
    const neither = await compare({ ...request, encoding_format: 'base64' });
    expect(JSON.stringify(neither.body)).not.toContain('embedding"');
  });

  it('accepts the options of /v1/embed', async () => {
    const request = { query_image: picture, reference_embeddings: [] };
    for (const options of [{ detection: 'fast' }, { faces: 'single' }, { detection_threshold: 0.3 }]) {
      expect((await compare({ ...request, ...options })).status).toBe(200);
    }
    const strict = await compare({ ...request, detection_threshold: 1 });
    expect(strict.body).toMatchObject({ error_code: 'NO_FACE_DETECTED', detail: 'query_image: 0 faces' });
  });

  it('requires that embeddings have the length and space of the loaded model', async () => {
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

  it('takes a place for each picture, and processes at most as many at a time as there are workers', async () => {
    let places = 0;
    let running = 0;
    let peak = 0;
    const counting = new TinyEngine({ phase: 'ready' }, () => {
      throw new Error('not reached');
    });
    counting.model = service.engine.model;
    counting.admit = ((images: number): Admission => {
      places += images;
      const admission = service.engine.admit(images);
      return {
        ...admission,
        async embed(...job) {
          peak = Math.max(peak, ++running);
          const answer = await admission.embed(...job);
          running--;
          return answer;
        },
      };
    }) as never;
    const references = [1, 2, 3].map((n) => ({ id: `${n}`, image: n % 2 ? picture : other }));
    const busy = assembleApp(config, counting);
    const answer = await post(busy, '/v1/compare', {
      query_image: picture,
      reference_embeddings: references,
    });
    expect(answer.body.matches.map(({ id }: { id: string }) => id)).toEqual(['1', '3', '2']);
    expect(places).toBe(4);
    expect(peak).toBe(2);
    expect(service.engine.load.admitted).toBe(0);
  });
});
