import { createRoute, z } from '@hono/zod-openapi';
import type { EmbedAnswer } from '../engine/engine.ts';
import { recordStages } from '../observability/request-record.ts';
import type { Api } from './api.ts';
import { EMBED_REQUEST, type RequestOptions, readEmbedRequest } from './embed-request.ts';
import { describeFace, faceShape } from './face.ts';
import { errorResponses } from './failures.ts';

export const contextShape = {
  image: z
    .object({ width: z.int(), height: z.int() })
    .openapi({ description: 'Size of the upright image (EXIF orientation applied), in pixels.' }),
  model: z.object({
    name: z.string().openapi({ example: 'buffalo_l' }),
    embedding_size: z.int().openapi({ example: 512 }),
    embedding_space: z.string().openapi({
      description: 'Embeddings are comparable only within one space. Store it beside the embedding.',
      example: 'buffalo_l:4c06341c33c2',
    }),
  }),
};

const oneFaceSchema = z
  .object({ ...faceShape, face_detected: z.literal(true), ...contextShape })
  .openapi('EmbeddedFace', { description: 'The answer for `faces` = `single` and `largest`.' });

const allFacesSchema = z
  .object({
    faces: z.array(z.object(faceShape)).openapi({ description: 'Best detection score first; may be empty.' }),
    face_detected: z.boolean(),
    faces_omitted: z.int().optional().openapi({
      description: 'Faces beyond `MAX_FACES`, which were not embedded. Absent when there are none.',
    }),
    ...contextShape,
  })
  .openapi('EmbeddedFaces', { description: 'The answer for `faces` = `all`.' });

const route = createRoute({
  method: 'post',
  path: '/v1/embed',
  tags: ['Faces'],
  summary: 'Image in, face embedding out',
  description:
    'The image format (JPEG, PNG, WebP, GIF, TIFF, AVIF) is recognised by the bytes. Nothing is stored or logged.',
  request: { query: EMBED_REQUEST.query, body: EMBED_REQUEST.body },
  responses: {
    200: {
      description: 'The embedding of the face, or of every face.',
      content: { 'application/json': { schema: z.union([oneFaceSchema, allFacesSchema]) } },
    },
    ...errorResponses(
      'INVALID_REQUEST',
      'UNAUTHORIZED',
      'IMAGE_TOO_LARGE',
      'REQUEST_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'UNSUPPORTED_FORMAT',
      'INVALID_IMAGE',
      'NO_FACE_DETECTED',
      'MULTIPLE_FACES_DETECTED',
      'OVERLOADED',
      'MODEL_NOT_LOADED',
      'DEADLINE_EXCEEDED',
    ),
  },
});

export function addEmbedRoute({ add, config, engine, json }: Api): void {
  add(route, 'callers', async (c) => {
    const admission = engine.admit(1);
    try {
      const { signal } = c.req.raw;
      const { image, options } = await readEmbedRequest(c.get('body'), c.req.query(), {
        limits: config,
        json,
        signal,
      });
      const answer = await admission.embed(
        image,
        {
          selection: options.faces,
          detection: options.detection ?? config.DETECTION,
          detectionThreshold: options.detection_threshold ?? config.DETECTION_THRESHOLD,
          maxFaces: config.MAX_FACES,
          maxPixels: config.MAX_IMAGE_PIXELS,
        },
        signal,
      );
      const record = c.get('record');
      recordStages(record, { queue: answer.waited, ...answer.timings });
      record.picture = answer.image;
      record.faces = answer.faces.length;
      return c.json(embedResponse(answer, options));
    } finally {
      admission.release();
    }
  });
}

function embedResponse(answer: EmbedAnswer, options: RequestOptions) {
  const { pack, embeddingSize } = answer.model;
  const context = {
    image: answer.image,
    model: { name: pack.name, embedding_size: embeddingSize, embedding_space: pack.embeddingSpace },
  };
  const faces = answer.faces.map((face) => describeFace(face, options));
  if (options.faces !== 'all') return { ...faces[0], face_detected: true, ...context };
  return {
    faces,
    face_detected: faces.length > 0,
    ...(answer.omitted > 0 ? { faces_omitted: answer.omitted } : {}),
    ...context,
  };
}
