import { type OpenAPIHono, z } from '@hono/zod-openapi';
import { ERROR_CATALOGUE, type ErrorCode } from '../../errors.ts';

/* What the OpenAPI document says of errors, derived from the catalogue. */

const codes = Object.keys(ERROR_CATALOGUE) as ErrorCode[];

export const errorSchema = z
  .object({
    error: z.string().openapi({ description: 'A sentence for people; its wording may change.' }),
    error_code: z.enum(codes).openapi('ErrorCode', { description: 'For programs.' }),
    detail: z.string().optional().openapi({ description: 'What exactly was wrong.' }),
    request_id: z.string().openapi({ description: 'Also in the X-Request-Id header and in the log.' }),
  })
  .openapi('ErrorResponse', { description: 'The body of every error.' });

/** The OpenAPI responses for the errors of a route. PROCESSING_ERROR is added to all. */
export function errorResponses(...possible: ErrorCode[]) {
  return errorResponsesOf(errorSchema, ...possible);
}

/** The same for a route whose errors have further members. */
export function errorResponsesOf<Schema extends z.ZodType>(schema: Schema, ...possible: ErrorCode[]) {
  return Object.fromEntries(
    [...groupByStatus([...possible, 'PROCESSING_ERROR'])].map(([status, members]) => [
      status,
      {
        description: members.map((code) => `\`${code}\`: ${ERROR_CATALOGUE[code].when}`).join('\n\n'),
        content: {
          'application/json': {
            schema,
            examples: Object.fromEntries(members.map((code) => [code, { $ref: exampleReference(code) }])),
          },
        },
      },
    ]),
  );
}

function groupByStatus(members: ErrorCode[]): Map<number, ErrorCode[]> {
  const groups = new Map<number, ErrorCode[]>();
  for (const code of members) {
    const { status } = ERROR_CATALOGUE[code];
    groups.set(status, [...(groups.get(status) ?? []), code]);
  }
  return groups;
}

const exampleReference = (code: ErrorCode) => `#/components/examples/${code}`;

/**
 * Declares an example of the body of each error, to which the responses refer.
 *
 * @param members what the bodies of some errors have beside the members of all.
 */
export function declareErrorExamples(
  registry: OpenAPIHono['openAPIRegistry'],
  members: Partial<Record<ErrorCode, object>>,
): void {
  for (const code of codes) {
    registry.registerComponent('examples', code, { value: { ...exampleError(code), ...members[code] } });
  }
}

/** The body of an error, as it may be answered. */
export function exampleError(code: ErrorCode): z.output<typeof errorSchema> {
  const { message, ...entry } = ERROR_CATALOGUE[code];
  return {
    error: message,
    error_code: code,
    ...('detail' in entry && { detail: entry.detail }),
    request_id: '3f2a1c58-7d0e-4b6c-9a41-5e8f0c2d7b93',
  };
}
