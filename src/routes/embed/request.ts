import { z } from '@hono/zod-openapi';
import { type Config, DETECTION_MODES } from '../../config/settings.ts';
import type { GivenImage } from '../../engine/embed-images.ts';
import { ServiceError } from '../../errors.ts';
import type { IncomingBody } from '../../http/body/incoming-body.ts';
import { readMultipart } from '../../http/body/multipart.ts';
import type { EmbedBody } from '../../json/embed-body.ts';
import { qualityOptions, textQualityOptions } from '../../json/quality-options.ts';
import { assertConsistent } from '../../json/search-options.ts';
import type { JsonDesk } from '../../json/service.ts';
import { numberText } from '../../json/text-options.ts';
import { parseWith } from '../../json/validate.ts';
import { ENCODING_FORMATS } from '../../similarity/embedding.ts';
import { FACE_SELECTIONS } from '../../vision/detect/selection.ts';

/** The options of an embed request, the same in every transport. */
export const optionsSchema = z.strictObject({
  faces: z
    .enum(FACE_SELECTIONS)
    .default('single')
    .openapi({
      description:
        '`single`: exactly one face, else an error. `largest`: the largest, most central face. ' +
        '`all`: every face, best detection score first.',
    }),
  encoding_format: z.enum(ENCODING_FORMATS).default('float').openapi({
    description: '`float`: an array of numbers. `base64`: little-endian float32 in padded standard base64.',
  }),
  detection: z
    .enum(DETECTION_MODES)
    .optional()
    .openapi({
      description:
        '`fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large ' +
        'and sure. Default: the service’s `DETECTION`.',
    }),
  detection_threshold: z.number().min(0).max(1).optional().openapi({
    description: 'Least detection score of a face. Default: the service’s `DETECTION_THRESHOLD`.',
    example: 0.5,
  }),
  ...qualityOptions,
});

/** Query parameters and form fields are text. */
const textOptionsSchema = optionsSchema.extend({
  detection_threshold: numberText(z.number().min(0).max(1))
    .optional()
    .openapi({ type: 'number', minimum: 0, maximum: 1 }),
  ...textQualityOptions,
});

const imageText = z.string().openapi({
  description: 'A data URL (`data:image/jpeg;base64,…`) or bare base64, standard or URL-safe, padded or not.',
  example: 'data:image/jpeg;base64,/9j/4AAQSkZJRg…',
});

const jsonSchema = optionsSchema.extend({ image: imageText });
const jsonBatchSchema = optionsSchema.extend({
  images: z.array(imageText).min(1, 'expected at least one image').openapi({
    description: 'A batch: at most `MAX_BATCH_SIZE` images. The options are for all of them.',
  }),
});

const binary = z.string().openapi({ type: 'string', format: 'binary' });
const formSchema = textOptionsSchema.extend({
  image: z.array(binary).min(1).openapi({
    description:
      'A file part; or several of this name, which are a batch of at most `MAX_BATCH_SIZE` images.',
  }),
});

/** For the OpenAPI document. */
export const EMBED_REQUEST = {
  query: textOptionsSchema.openapi({ description: 'Options of a raw image body.' }),
  body: {
    required: true,
    content: {
      'application/json': {
        schema: z.union([jsonSchema.openapi('EmbedRequest'), jsonBatchSchema.openapi('EmbedBatchRequest')]),
      },
      'multipart/form-data': { schema: formSchema.openapi('EmbedForm') },
      'image/*': { schema: binary },
      'application/octet-stream': { schema: binary },
    },
  },
};

export type RequestOptions = z.output<typeof optionsSchema>;

export interface EmbedRequest {
  /** At least one. */
  images: GivenImage[];
  /** Whether a batch was asked for, be it of one image. */
  batch: boolean;
  options: RequestOptions;
}

export type EmbedLimits = Pick<Config, 'MAX_IMAGE_SIZE' | 'MAX_REQUEST_SIZE' | 'MAX_BATCH_SIZE'>;

/**
 * Reads images and their options from whichever transport the Content-Type names. What is wrong with one image of JSON or a
 * form is no error here, as there may be others beside it.
 *
 * @param query the query parameters; they carry the options of a raw body and are refused with any other.
 * @throws {ServiceError} when the request is malformed, too large or of another media type.
 */
export async function readEmbedRequest(
  body: IncomingBody,
  query: Record<string, string>,
  { limits, json, signal }: { limits: EmbedLimits; json: JsonDesk; signal: AbortSignal },
): Promise<EmbedRequest> {
  const { mediaType } = body;
  if (mediaType?.startsWith('image/') || mediaType === 'application/octet-stream') {
    const options = parseWith(textOptionsSchema, query);
    assertConsistent(options);
    const image = await body.read({ bytes: limits.MAX_IMAGE_SIZE, code: 'IMAGE_TOO_LARGE' });
    return { images: [image], batch: false, options };
  }
  if (mediaType !== 'application/json' && mediaType !== 'multipart/form-data') {
    throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', {
      detail: 'Accepted are application/json, multipart/form-data, image/* and application/octet-stream.',
    });
  }
  if (Object.keys(query).length > 0) {
    throw new ServiceError('INVALID_REQUEST', {
      detail: `With ${mediaType}, options belong in the body, not in the query.`,
    });
  }
  if (mediaType === 'multipart/form-data') return readFormRequest(body, limits);
  const bytes = await body.forward({ bytes: limits.MAX_REQUEST_SIZE, code: 'REQUEST_TOO_LARGE' });
  const { MAX_IMAGE_SIZE, MAX_BATCH_SIZE } = limits;
  // Not all of the configuration: it would be copied to the other thread.
  const job = {
    kind: 'embed',
    body: bytes,
    limits: { MAX_IMAGE_SIZE, MAX_BATCH_SIZE },
  } as const;
  return validateEmbedBody((await json.run(job, signal)).result);
}

/** @throws {ServiceError} INVALID_REQUEST. */
function validateEmbedBody({ images, batch, skeleton }: EmbedBody): EmbedRequest {
  const body: RequestOptions & { image?: string; images?: string[] } = batch
    ? parseWith(jsonBatchSchema, skeleton)
    : parseWith(jsonSchema, skeleton);
  const { image: _, images: __, ...options } = body;
  assertConsistent(options);
  return { images, batch, options };
}

async function readFormRequest(body: IncomingBody, limits: EmbedLimits): Promise<EmbedRequest> {
  const { files, fields } = await readMultipart(
    body.chunks({ bytes: limits.MAX_REQUEST_SIZE, code: 'REQUEST_TOO_LARGE' }),
    body.contentType ?? '',
    (name) => name === 'image',
    { files: limits.MAX_BATCH_SIZE, fileBytes: limits.MAX_IMAGE_SIZE },
  );
  const options = parseWith(textOptionsSchema, fields);
  assertConsistent(options);
  if (files.length === 0 || files.some(({ name }) => name !== 'image')) {
    throw new ServiceError('INVALID_REQUEST', {
      detail: 'image: a file part of this name is required, or several, and no others',
    });
  }
  const tooLarge: GivenImage = {
    code: 'IMAGE_TOO_LARGE',
    detail: `The limit is ${limits.MAX_IMAGE_SIZE} bytes.`,
  };
  return { images: files.map(({ bytes }) => bytes ?? tooLarge), batch: files.length > 1, options };
}
