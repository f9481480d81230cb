import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../../src/errors.ts';
import { TinyEngine } from '../../support/engine/engines.ts';
import { type Answer, answerOf } from '../../support/http/answer.ts';
import { assembleApp } from '../../support/http/app.ts';
import {
  config,
  other,
  picture,
  blank as pictureWithoutFace,
  post,
  usePictureService,
} from './picture-service.ts';

const service = usePictureService();

/** A part of a form: a field, or a file with its name. */
type Part = [name: string, value: string] | [name: string, picture: string, fileName: string];

async function compareForm(parts: Part[], query = '', { app } = service.assembled): Promise<Answer> {
  const form = new FormData();
  for (const [name, value, fileName] of parts) {
    if (fileName === undefined) form.append(name, value);
    else form.append(name, new Blob([Buffer.from(value, 'base64')]), fileName);
  }
  return answerOf(await app.request(`/v1/compare${query}`, { method: 'POST', body: form }));
}

const QUERY: Part = ['query_image', picture, 'query.png'];
const SAME: Part = ['reference_image', picture, 'same.png'];
const OTHER: Part = ['reference_image', other, 'other.png'];

describe('comparing the pictures of a form', () => {
  it('answers as to the same pictures in JSON', async () => {
    const { status, body } = await compareForm(
      [['threshold', '0.3'], OTHER, QUERY, SAME],
      '?return_embeddings=TRUE',
    );
    expect(status).toBe(200);
    const json = await post(service.assembled, '/v1/compare', {
      query_image: picture,
      reference_embeddings: [
        { id: 'other.png', image: other },
        { id: 'same.png', image: picture },
      ],
      threshold: 0.3,
      return_embeddings: true,
    });
    expect(body).toEqual(json.body);
    expect(body.best_match).toMatchObject({ id: 'same.png', is_match: true });
  });

  it('numbers references without a file name of their own', async () => {
    const { body } = await compareForm([QUERY, SAME, SAME, ['reference_image', other, 'same.png']]);
    expect(body.matches.map(({ id }: { id: string }) => id).sort()).toEqual(['1', '2', 'same.png']);
  });

  it.each<{ name: string; parts: Part[]; query?: string; code: string; detail: string }>([
    { name: 'no query', parts: [SAME], code: 'INVALID_REQUEST', detail: 'query_image: one file part' },
    { name: 'no reference', parts: [QUERY], code: 'INVALID_REQUEST', detail: 'query_image: one file part' },
    {
      name: 'two queries',
      parts: [QUERY, QUERY, SAME],
      code: 'INVALID_REQUEST',
      detail: 'query_image: one file part',
    },
    {
      name: 'another file',
      parts: [QUERY, SAME, ['image', picture, 'a.png']],
      code: 'INVALID_REQUEST',
      detail: 'query_image: one file part',
    },
    {
      name: 'an unknown option',
      parts: [QUERY, SAME, ['colour', 'red']],
      code: 'INVALID_REQUEST',
      detail: 'colour',
    },
    {
      name: 'an option in the query and in the form',
      parts: [QUERY, SAME, ['threshold', '0.3']],
      query: '?threshold=0.3',
      code: 'INVALID_REQUEST',
      detail: 'threshold: given in the query and in the body',
    },
    {
      name: 'two verdicts',
      parts: [QUERY, SAME, ['threshold', '0.3'], ['max_far', '0.1']],
      code: 'INVALID_REQUEST',
      detail: 'threshold: expected at most one of',
    },
    {
      name: 'a rate without evidence',
      parts: [QUERY, SAME, ['max_far', '0.1']],
      code: 'INVALID_REQUEST',
      detail: 'max_far',
    },
    {
      name: 'a reference without a face',
      parts: [QUERY, SAME, ['reference_image', pictureWithoutFace, 'b.png']],
      code: 'NO_FACE_DETECTED',
      detail: 'reference_image[1]: 0 faces',
    },
    {
      name: 'a picture that is too large',
      parts: [QUERY, ['reference_image', Buffer.alloc(200_001).toString('base64'), 'c.png'], SAME],
      code: 'IMAGE_TOO_LARGE',
      detail: 'reference_image[0]: The limit is 200000 bytes.',
    },
    {
      name: 'too many pictures',
      parts: [QUERY, SAME, SAME, SAME, SAME],
      code: 'REQUEST_TOO_LARGE',
      detail: 'There are more than 4 file parts.',
    },
  ])('refuses $name', async ({ parts, query, code, detail }) => {
    const { body } = await compareForm(parts, query);
    expect(body).toMatchObject({ error_code: code, detail: expect.stringContaining(detail) });
  });

  it.each([{ options: [] }, { options: [['max_far', '0.01'] as Part] }])(
    'says when no model is loaded: $options',
    async ({ options }) => {
      const unloaded = new TinyEngine({ phase: 'starting', reason: '' }, () => {
        throw new ServiceError('MODEL_NOT_LOADED', { retryAfter: 7 });
      });
      const { status, headers, body } = await compareForm(
        [QUERY, SAME, ...options],
        '',
        assembleApp(config, unloaded),
      );
      expect(status).toBe(503);
      expect(body.error_code).toBe('MODEL_NOT_LOADED');
      expect(headers.get('retry-after')).toBe('7');
    },
  );
});
