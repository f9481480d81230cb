import { z } from '@hono/zod-openapi';
import { ServiceError } from '../../errors.ts';
import type { FilePart } from '../../http/body/multipart.ts';
import type { RequestBody } from '../../http/body/request-body.ts';
import { combineOptions } from '../../json/combine-options.ts';
import {
  type ComparedPicture,
  type OpenedCompareRequest,
  requestOfPictures,
} from '../../json/compare-request.ts';
import { compareOptionsSchema } from '../../json/compare-schema.ts';
import { validate } from '../../json/validate.ts';
import { type ImageFormLimits, imageBytesSchema, imageOf, readImageForm } from '../image-form.ts';
import { compareQuerySchema } from './query-options.ts';

/** The file parts of the form. */
const QUERY = 'query_image';
const REFERENCE = 'reference_image';

/** For the OpenAPI document. */
export const compareFormSchema = compareQuerySchema
  .extend({
    [QUERY]: imageBytesSchema.openapi({ description: 'A file part: the picture that is compared.' }),
    [REFERENCE]: z
      .array(imageBytesSchema)
      .min(1)
      .openapi({
        description:
          'A file part, or several of this name. The `id` of a reference is its file name, or its index among them, from 0, if it ' +
          'has none or that of an earlier one.',
      }),
  })
  .openapi('CompareForm', { description: 'Pictures; at most `MAX_BATCH_SIZE` with the query.' });

/**
 * Reads a comparison of pictures from a form.
 *
 * @param query the query parameters: options, which the form must not give again.
 * @throws {ServiceError} INVALID_REQUEST; REQUEST_TOO_LARGE for too many bytes or pictures. A picture that is too large is
 *   reported in its turn.
 */
export async function readCompareForm(
  body: RequestBody,
  query: Record<string, string>,
  limits: ImageFormLimits,
): Promise<OpenedCompareRequest> {
  const { files, fields } = await readImageForm(body, [QUERY, REFERENCE], limits);
  const given = validate(compareQuerySchema, combineOptions(query, fields));
  const options = validate(compareOptionsSchema, given);
  const [image, ...moreImages] = files.filter(({ name }) => name === QUERY);
  const references = files.filter(({ name }) => name === REFERENCE);
  if (
    image === undefined ||
    moreImages.length > 0 ||
    references.length === 0 ||
    references.length + 1 < files.length
  ) {
    throw new ServiceError('INVALID_REQUEST', {
      detail: `${QUERY}: one file part of this name is required, one or several called ${REFERENCE}, and no others`,
    });
  }
  const picture = (file: FilePart, name: string, reference?: number): ComparedPicture => ({
    name,
    image: imageOf(file, limits),
    reference,
  });
  const ids = new Set<string>();
  return requestOfPictures(
    picture(image, QUERY),
    references.map((file, index) => {
      const id = file.fileName === undefined || ids.has(file.fileName) ? String(index) : file.fileName;
      ids.add(id);
      return { id, picture: picture(file, `${REFERENCE}[${index}]`, index) };
    }),
    options,
  );
}
