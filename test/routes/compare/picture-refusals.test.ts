import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../../src/errors.ts';
import { TinyEngine } from '../../support/engine/engines.ts';
import { assembleApp } from '../../support/http/app.ts';
import { expectRefusal } from './compare-requests.ts';
import {
  base64,
  blank,
  config,
  picture,
  post,
  randomEmbeddings,
  usePictureService,
} from './picture-service.ts';

const service = usePictureService();
const compare = (body: unknown) => post(service.assembled, '/v1/compare', body);

describe('comparing pictures refuses', () => {
  const good = { id: 'good', image: picture };
  const bad = (image: string) => ({ id: 'bad', image });
  const notAPicture = base64(new TextEncoder().encode('hello'));
  const truncated = picture.slice(0, 800);

  it.each([
    ['a query without a face', { query_image: blank }, 422, 'NO_FACE_DETECTED', 'query_image: 0 faces'],
    [
      'a reference without a face',
      { references: [good, bad(blank)] },
      422,
      'NO_FACE_DETECTED',
      'reference_embeddings[1].image: 0 faces',
    ],
    [
      'several bad pictures, and names the first',
      { references: [good, bad(notAPicture), bad(blank)] },
      415,
      'UNSUPPORTED_FORMAT',
      /^reference_embeddings\[1\]\.image: /,
    ],
    [
      'several bad pictures, and names the first, although a later one fails earlier',
      { references: [good, bad(blank), bad('*')] },
      422,
      'NO_FACE_DETECTED',
      'reference_embeddings[1].image: 0 faces',
    ],
    ['a truncated picture', { query_image: truncated }, 422, 'INVALID_IMAGE', /^query_image: .*broken/],
    [
      'invalid base64',
      { references: [good, good, bad('*')] },
      422,
      'INVALID_IMAGE',
      'reference_embeddings[2].image: The image is not valid base64.',
    ],
    [
      'a picture above MAX_IMAGE_SIZE',
      { references: [bad('A'.repeat(300_000))] },
      413,
      'IMAGE_TOO_LARGE',
      /^reference_embeddings\[0\]\.image: 225000 bytes; the limit is 200000/,
    ],
    [
      'more pictures than MAX_BATCH_SIZE',
      { references: [good, good, good, good] },
      413,
      'REQUEST_TOO_LARGE',
      '5 images; the limit is 4.',
    ],
    [
      'a reference with both an embedding and an image',
      { references: [{ ...good, embedding: [1] }] },
      400,
      'INVALID_REQUEST',
      'reference_embeddings[0].embedding: expected exactly one of embedding, embeddings, image',
    ],
    [
      'a reference with neither',
      { references: [good, { id: 'a' }] },
      400,
      'INVALID_REQUEST',
      'reference_embeddings[1].embedding: expected exactly one of embedding, embeddings, image',
    ],
    ['two queries', { more: { query_embedding: [1] } }, 400, 'INVALID_REQUEST', /^query_embedding: /],
    ['faces=all', { more: { faces: 'all' } }, 400, 'INVALID_REQUEST', /^faces: /],
    [
      'detection=fast with faces=single',
      { more: { faces: 'single', detection: 'fast' } },
      400,
      'INVALID_REQUEST',
      /^detection: /,
    ],
    [
      'a picture that is not a string',
      { more: { query_image: 5 } },
      400,
      'INVALID_REQUEST',
      /^query_image: /,
    ],
    [
      'an invalid embedding, before any picture is embedded',
      { query_image: blank, references: [good, { id: 'a', embedding: '*' }] },
      422,
      'INVALID_EMBEDDING',
      'reference_embeddings[1].embedding is not valid base64.',
    ],
  ])('%s', async (_name, request, status, error_code, detail) => {
    const { query_image = picture, references = [], more = {} } = request as Record<string, unknown>;
    const answer = await compare({ query_image, reference_embeddings: references, ...(more as object) });
    expectRefusal(answer, status, error_code, detail);
    expect(service.engine.load.admitted).toBe(0);
    expect(service.assembled.bodies.taken).toBe(0);
  });

  it('a comparison whose vectors exceed MAX_INFLIGHT_BYTES', async () => {
    const narrow = assembleApp({ ...config, MAX_INFLIGHT_BYTES: 1_500_000 }, service.engine);
    const request = { query_image: picture, reference_embeddings: randomEmbeddings(250) };
    const answer = await post(narrow, '/v1/compare', request);
    expect(answer.status).toBe(503);
    expect(answer.body.error_code).toBe('OVERLOADED');
    expect(narrow.bodies.taken).toBe(0);
    await narrow.json.close();
  });

  it('pictures while no model is loaded, but not embeddings', async () => {
    const unloaded = new TinyEngine({ phase: 'starting', reason: '' }, () => {
      throw new ServiceError('MODEL_NOT_LOADED', { retryAfter: 5 });
    });
    const idle = assembleApp(config, unloaded);
    const refused = await post(idle, '/v1/compare', { query_image: picture, reference_embeddings: [] });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(refused.body).not.toHaveProperty('detail');
    const [reference] = randomEmbeddings(1);
    const answered = await post(idle, '/v1/compare', {
      query_embedding: reference?.embedding,
      reference_embeddings: [reference],
    });
    expect(answered.status).toBe(200);
  });
});
