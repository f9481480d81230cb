import { z } from '@hono/zod-openapi';
import { ServiceError } from '../errors.ts';
import { type CompareRequest, DISTANCE_METRICS } from '../similarity/compare.ts';
import type { UncheckedEmbedding } from '../similarity/embedding.ts';
import { parseJson } from './json.ts';
import { parseWith } from './schema-error.ts';

/** One look at the kind only: the numbers are checked where they are read, not by a schema walking each of them. */
const embeddingSchema = z
  .custom<UncheckedEmbedding>(
    (value) => typeof value === 'string' || Array.isArray(value),
    'expected an array of numbers or a base64 string',
  )
  .openapi({
    type: ['array', 'string'],
    items: { type: 'number' },
    description:
      'Numbers, or the base64 of little-endian float32 that `/v1/embed` gives. Scaled to L2 norm 1.',
    example: [0.0123, -0.0456],
  });

const spaceSchema = z.string().max(200).optional().openapi({
  description: 'As `/v1/embed` named it. Two that differ are refused.',
  example: 'buffalo_l:4c06341c33c2',
});

export const compareRequestSchema = z
  .strictObject({
    query_embedding: embeddingSchema,
    embedding_space: spaceSchema,
    reference_embeddings: z.array(
      z.strictObject({
        id: z.string().openapi({ description: "The caller's name for it.", example: 'user_001' }),
        embedding: embeddingSchema,
        embedding_space: spaceSchema,
      }),
    ),
    distance_metric: z.enum(DISTANCE_METRICS).default('cosine').openapi({
      description: '`cosine`: 1 − cos. `euclidean`: ‖q − r‖ of the unit vectors. Both are 0..2.',
    }),
    threshold: z.number().min(0).max(2).optional().openapi({
      description:
        'Largest distance, in the chosen metric, that counts as a match. Without it there is no verdict.',
      example: 0.4,
    }),
    top_k: z.int().min(1).optional().openapi({ description: 'Most matches in the answer.', example: 10 }),
  })
  .openapi('CompareRequest');

/**
 * Reads the body of a compare request.
 *
 * @throws {ServiceError} INVALID_REQUEST, or REQUEST_TOO_LARGE for too many references.
 */
export function parseCompareRequest(bytes: Uint8Array, maxReferences: number): CompareRequest {
  const body = parseJson(bytes);
  const references = (body as { reference_embeddings?: unknown } | null)?.reference_embeddings;
  // Before the schema, which would look at every one of them.
  if (Array.isArray(references) && references.length > maxReferences) {
    throw new ServiceError('REQUEST_TOO_LARGE', {
      detail: `${references.length} references; the limit is ${maxReferences}.`,
    });
  }
  return parseWith(compareRequestSchema, body);
}
