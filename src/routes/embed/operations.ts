import { createRoute } from '@hono/zod-openapi';
import { EXAMPLE_PICTURES } from '../document/example-pictures.ts';
import { imageBytesSchema } from '../image-form.ts';
import { answerSchema, lineSchema } from './answer.ts';
import { EMBED_ERRORS } from './refusal.ts';
import { embedFormSchema, embedJsonSchema } from './request.ts';
import { queryOptionsSchema } from './text-options.ts';

/*
 * For the OpenAPI document, embedding is an operation for each kind of body and of answer: most generators of clients know one
 * of each for an operation. Each has a path of its own, as the document cannot have two for a path; all are served alike.
 */

const [first, second] = EXAMPLE_PICTURES;

const EXAMPLES = {
  image: { summary: 'An image', value: { image: first } },
  allFaces: { summary: 'Every face of an image', value: { image: first, faces: 'all' } },
  batch: {
    summary: 'Several images, with short embeddings',
    value: { images: [first, second], encoding_format: 'base64' },
  },
};

const JSON_BODY = {
  required: true,
  content: { 'application/json': { schema: embedJsonSchema, examples: EXAMPLES } },
} as const;

const JSON_ANSWER = {
  description: 'The embedding of the face, or of every face; for a batch, the result of each image.',
  content: { 'application/json': { schema: answerSchema } },
};

const query = queryOptionsSchema.openapi({
  description: 'Options, which may also stand in a body of JSON or in a form.',
});

const common = { method: 'post' as const, tags: ['Faces'] };

export const embedRoute = createRoute({
  ...common,
  path: '/v1/embed',
  operationId: 'embed',
  summary: 'Embed the faces of an image',
  description:
    'The image format (JPEG, PNG, WebP, GIF, TIFF, AVIF, BMP, JPEG 2000) is detected from the bytes. Images and embeddings ' +
    'are neither stored nor logged.\n\n' +
    'Several images form a batch. Its answer has a result for each image, in request order: a success or an error. An image ' +
    'that fails does not affect the others.\n\n' +
    'The body may also be a form (`multipart/form-data`, described at `/v1/embed/form`) or the bytes of an image (`image/*` or ' +
    '`application/octet-stream`, at `/v1/embed/image`). With `Accept: application/x-ndjson`, for a single image too, each ' +
    'result is a line that is sent as soon as it is ready, as at `/v1/embed/lines`.',
  request: { query, body: JSON_BODY },
  responses: { 200: JSON_ANSWER, ...EMBED_ERRORS },
});

export const embedFormRoute = createRoute({
  ...common,
  path: '/v1/embed/form',
  operationId: 'embedForm',
  summary: 'Embed the faces of an image in a form',
  description: 'The same as `/v1/embed` with a form. Several file parts form a batch.',
  request: {
    query,
    body: { required: true, content: { 'multipart/form-data': { schema: embedFormSchema } } },
  },
  responses: { 200: JSON_ANSWER, ...EMBED_ERRORS },
});

export const embedImageRoute = createRoute({
  ...common,
  path: '/v1/embed/image',
  operationId: 'embedImage',
  summary: 'Embed the faces of an image that is the body',
  description:
    'The same as `/v1/embed` with the bytes of an image, of any format, as the body. The type `image/*` is accepted too.',
  request: {
    query,
    body: { required: true, content: { 'application/octet-stream': { schema: imageBytesSchema } } },
  },
  responses: { 200: JSON_ANSWER, ...EMBED_ERRORS },
});

export const embedLinesRoute = createRoute({
  ...common,
  path: '/v1/embed/lines',
  operationId: 'embedLines',
  summary: 'Embed the faces of images, and answer with a line for each',
  description:
    'The same as `/v1/embed` with `Accept: application/x-ndjson`: each result is a line of JSON that is sent as soon as it is ' +
    'ready, in any order. The last line tells a complete answer from one that was cut off.',
  request: { query, body: JSON_BODY },
  responses: {
    200: {
      description: 'A line for each image, and a last one.',
      content: { 'application/x-ndjson': { schema: lineSchema } },
    },
    ...EMBED_ERRORS,
  },
});
