import { z } from '@hono/zod-openapi';
import type { Config } from '../config/settings.ts';
import type { GivenImage } from '../engine/embed-images.ts';
import { type FilePart, type MultipartForm, readMultipart } from '../http/body/multipart.ts';
import type { RequestBody } from '../http/body/request-body.ts';

/* Forms whose files are images. */

/** The bytes of an image, for the OpenAPI document. */
export const imageBytesSchema = z.string().openapi({ type: 'string', format: 'binary' });

export type ImageFormLimits = Pick<Config, 'MAX_IMAGE_SIZE' | 'MAX_REQUEST_SIZE' | 'MAX_BATCH_SIZE'>;

/**
 * @param names of the parts that are files, whatever their headers say.
 * @throws {ServiceError} INVALID_REQUEST for a malformed form; REQUEST_TOO_LARGE for too many bytes or files.
 */
export function readImageForm(
  body: RequestBody,
  names: readonly string[],
  limits: ImageFormLimits,
): Promise<MultipartForm> {
  return readMultipart(
    body.pieces({ bytes: limits.MAX_REQUEST_SIZE, code: 'REQUEST_TOO_LARGE' }),
    body.contentType ?? '',
    (name) => names.includes(name),
    { files: limits.MAX_BATCH_SIZE, fileBytes: limits.MAX_IMAGE_SIZE },
  );
}

/** The image of a file part. One that was too large to keep is reported in its turn. */
export const imageOf = ({ bytes }: FilePart, { MAX_IMAGE_SIZE }: ImageFormLimits): GivenImage =>
  bytes ?? { code: 'IMAGE_TOO_LARGE', detail: `The limit is ${MAX_IMAGE_SIZE} bytes.` };
