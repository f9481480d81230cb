import { z } from '@hono/zod-openapi';
import type { GivenImage } from '../../engine/embed-images.ts';
import { ServiceError } from '../../errors.ts';
import type { RequestBody } from '../../http/body/request-body.ts';
import { combineOptions } from '../../json/combine-options.ts';
import {
  assertConsistent,
  assertFusible,
  optionsSchema,
  type RequestOptions,
} from '../../json/embed-options.ts';
import type { JsonService } from '../../json/service.ts';
import { validate } from '../../json/validate.ts';
import { type ImageFormLimits, imageBytesSchema, imageOf, readImageForm } from '../image-form.ts';
import { queryOptionsSchema, textOptionsSchema } from './text-options.ts';

const imageText = z.string().openapi({
  description: 'A data URL (`data:image/jpeg;base64,…`) or bare base64, standard or URL-safe, padded or not.',
  example: 'data:image/jpeg;base64,/9j/4AAQSkZJRg…',
});

const jsonSchema = optionsSchema.extend({ image: imageText });
const jsonBatchSchema = optionsSchema.extend({
  images: z.array(imageText).min(1, 'expected at least one image').openapi({
    description: 'A batch: at most `MAX_BATCH_SIZE` images. The options apply to all of them.',
  }),
});

/* For the OpenAPI document. */

export const embedJsonSchema = z.union([
  jsonSchema.openapi('EmbedRequest'),
  jsonBatchSchema.openapi('EmbedBatchRequest'),
]);

export const embedFormSchema = textOptionsSchema
  .extend({
    image: z.array(imageBytesSchema).min(1).openapi({
      description:
        'A file part; or several of this name, which form a batch of at most `MAX_BATCH_SIZE` images.',
    }),
  })
  .openapi('EmbedForm');

export interface EmbedRequest {
  /** At least one. */
  images: GivenImage[];
  /** Whether the answer is that of a batch, which can be of a single image. */
  batch: boolean;
  options: RequestOptions;
}

/**
 * Reads images and their options from the transport that the Content-Type names. An invalid image in JSON or in a form
 * becomes a refusal among the images, not an error, so that it does not fail the others.
 *
 * @param query the query parameters: options, which the body must not give again.
 * @throws {ServiceError} when the request is malformed, too large or of another media type.
 */
export async function readEmbedRequest(
  body: RequestBody,
  query: Record<string, string>,
  context: ReadingContext,
): Promise<EmbedRequest> {
  const { mediaType } = body;
  // Before the body is read, so that a wrong option costs nobody an upload.
  const given = Object.keys(query).length > 0 ? validate(queryOptionsSchema, query) : {};
  if (mediaType === 'application/json') return readJsonRequest(body, given, context);
  if (mediaType === 'multipart/form-data') return readFormRequest(body, query, context.limits);
  if (mediaType?.startsWith('image/') || mediaType === 'application/octet-stream') {
    const options = validate(optionsSchema, given);
    assertConsistent(options);
    assertFusible(options, false);
    const image = await body.read({ bytes: context.limits.MAX_IMAGE_SIZE, code: 'IMAGE_TOO_LARGE' });
    return { images: [image], batch: false, options };
  }
  throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', {
    detail: 'Accepted are application/json, multipart/form-data, image/* and application/octet-stream.',
  });
}

interface ReadingContext {
  limits: ImageFormLimits;
  json: JsonService;
  signal: AbortSignal;
  tenant: string | undefined;
}

async function readJsonRequest(
  body: RequestBody,
  query: object,
  { limits, json, signal, tenant }: ReadingContext,
): Promise<EmbedRequest> {
  const bytes = await body.forward({ bytes: limits.MAX_REQUEST_SIZE, code: 'REQUEST_TOO_LARGE' });
  // Not the whole configuration, which would be copied to the other thread.
  const { MAX_IMAGE_SIZE, MAX_BATCH_SIZE } = limits;
  const job = { kind: 'embed', body: bytes, limits: { MAX_IMAGE_SIZE, MAX_BATCH_SIZE } } as const;
  const { images, batch, rest } = (await json.run(job, signal, tenant)).result;
  const schema = batch ? jsonBatchSchema : jsonSchema;
  const valid: RequestOptions & { image?: string; images?: string[] } = validate(
    schema,
    combineOptions(query, rest),
  );
  const { image: _, images: __, ...options } = valid;
  assertConsistent(options);
  assertFusible(options, batch);
  return { images, batch, options };
}

async function readFormRequest(
  body: RequestBody,
  query: Record<string, string>,
  limits: ImageFormLimits,
): Promise<EmbedRequest> {
  const { files, fields } = await readImageForm(body, ['image'], limits);
  const options = validate(textOptionsSchema, combineOptions(query, fields));
  assertConsistent(options);
  if (files.length === 0 || files.some(({ name }) => name !== 'image')) {
    throw new ServiceError('INVALID_REQUEST', {
      detail: 'image: a file part of this name is required, or several, and no others',
    });
  }
  const batch = files.length > 1;
  assertFusible(options, batch);
  return { images: files.map((file) => imageOf(file, limits)), batch, options };
}
