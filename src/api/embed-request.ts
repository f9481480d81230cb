import { z } from '@hono/zod-openapi';
import type { Config } from '../config.ts';
import { ServiceError } from '../errors.ts';
import { ENCODING_FORMATS } from '../similarity/embedding.ts';
import { DETECTION_MODES, FACE_SELECTIONS } from '../vision/selection.ts';
import { decodeImageText } from './image-text.ts';
import type { IncomingBody } from './incoming-body.ts';
import { parseJson } from './json.ts';
import type { JsonDesk } from './json-desk.ts';
import { readMultipart } from './multipart.ts';
import { parseWith } from './schema-error.ts';

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
});

/** Query parameters and form fields are text. */
const textOptionsSchema = optionsSchema.extend({
  detection_threshold: z
    .string()
    .regex(/^\d*\.?\d+$/, 'expected a number')
    .transform(Number)
    .pipe(z.number().min(0).max(1))
    .optional()
    .openapi({ type: 'number', minimum: 0, maximum: 1 }),
});

const jsonSchema = optionsSchema.extend({
  image: z.string().openapi({
    description:
      'A data URL (`data:image/jpeg;base64,…`) or bare base64, standard or URL-safe, padded or not.',
    example: 'data:image/jpeg;base64,/9j/4AAQSkZJRg…',
  }),
});

const binary = z.string().openapi({ type: 'string', format: 'binary' });
const formSchema = textOptionsSchema.extend({ image: binary });

/** For the OpenAPI document. */
export const EMBED_REQUEST = {
  query: textOptionsSchema.openapi({ description: 'Options of a raw image body.' }),
  body: {
    required: true,
    content: {
      'application/json': { schema: jsonSchema.openapi('EmbedRequest') },
      'multipart/form-data': { schema: formSchema.openapi('EmbedForm') },
      'image/*': { schema: binary },
      'application/octet-stream': { schema: binary },
    },
  },
};

export type RequestOptions = z.output<typeof optionsSchema>;

export interface EmbedRequest {
  image: Uint8Array<ArrayBuffer>;
  options: RequestOptions;
}

type Limits = Pick<Config, 'MAX_IMAGE_SIZE' | 'MAX_REQUEST_SIZE'>;

/**
 * Reads one image and its options from whichever transport the Content-Type names.
 *
 * @param query the query parameters; they carry the options of a raw body and are refused with any other.
 * @throws {ServiceError} when the request is malformed, too large or of another media type.
 */
export async function readEmbedRequest(
  body: IncomingBody,
  query: Record<string, string>,
  { limits, json, signal }: { limits: Limits; json: JsonDesk; signal: AbortSignal },
): Promise<EmbedRequest> {
  const { mediaType } = body;
  if (mediaType?.startsWith('image/') || mediaType === 'application/octet-stream') {
    const options = agree(parseWith(textOptionsSchema, query));
    return { image: await body.read({ bytes: limits.MAX_IMAGE_SIZE, code: 'IMAGE_TOO_LARGE' }), options };
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
  const bytes = await body.read({ bytes: limits.MAX_REQUEST_SIZE, code: 'REQUEST_TOO_LARGE' });
  const job = { kind: 'embed', body: bytes, maxImageBytes: limits.MAX_IMAGE_SIZE } as const;
  return (await json.run(job, signal)).result;
}

/**
 * Reads an embed request from JSON.
 *
 * @throws {ServiceError} INVALID_REQUEST, INVALID_IMAGE or IMAGE_TOO_LARGE.
 */
export function parseEmbedRequest(bytes: Uint8Array, maxImageBytes: number): EmbedRequest {
  const { image, ...options } = parseWith(jsonSchema, parseJson(bytes));
  return { image: decodeImageText(image, maxImageBytes), options: agree(options) };
}

async function readFormRequest(body: IncomingBody, limits: Limits): Promise<EmbedRequest> {
  const { files, fields } = await readMultipart(
    body.chunks({ bytes: limits.MAX_REQUEST_SIZE, code: 'REQUEST_TOO_LARGE' }),
    body.contentType ?? '',
    (name) => name === 'image',
    { files: 1, fileBytes: limits.MAX_IMAGE_SIZE },
  );
  const options = agree(parseWith(textOptionsSchema, fields));
  const [file] = files;
  if (file?.name !== 'image') {
    throw new ServiceError('INVALID_REQUEST', { detail: 'image: a file part of this name is required' });
  }
  return { image: file.bytes, options };
}

/**
 * Refuses options that contradict each other. Here and not in the schema, which would lose its shape for the documents.
 *
 * @throws {ServiceError} INVALID_REQUEST.
 */
function agree(options: RequestOptions): RequestOptions {
  if (options.detection === 'fast' && options.faces !== 'largest') {
    throw new ServiceError('INVALID_REQUEST', { detail: 'detection: fast goes with faces=largest only' });
  }
  return options;
}
