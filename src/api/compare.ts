import { createRoute, z } from '@hono/zod-openapi';
import type { Config } from '../config.ts';
import { ServiceError } from '../errors.ts';
import { DISTANCE_METRICS, rankReferences } from '../similarity/compare.ts';
import type { UncheckedEmbedding } from '../similarity/embedding.ts';
import type { Api } from './api.ts';
import { mediaTypeOf, readJson } from './body.ts';
import { errorResponses } from './failures.ts';
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

const requestSchema = z
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

const matchSchema = z
  .object({
    id: z.string(),
    distance: z.number().openapi({ description: '0..2 in the chosen metric.' }),
    similarity: z.number().openapi({ description: '(1 + cos) / 2, 0..1, whatever the metric.' }),
    is_match: z.boolean().optional().openapi({ description: 'distance ≤ threshold; only with a threshold.' }),
  })
  .openapi('Match');

const responseSchema = z
  .object({
    matches: z.array(matchSchema).openapi({ description: 'Nearest first, ties in request order.' }),
    best_match: matchSchema.nullable().openapi({ description: 'The first match; null without references.' }),
    distance_metric: z.enum(DISTANCE_METRICS),
    threshold: z.number().optional(),
  })
  .openapi('CompareResponse');

const route = createRoute({
  method: 'post',
  path: '/v1/compare',
  tags: ['Faces'],
  summary: 'Embeddings in, ranking out',
  description: 'Needs no model: it works with embeddings of any length, as long as all agree.',
  request: { body: { required: true, content: { 'application/json': { schema: requestSchema } } } },
  responses: {
    200: { description: 'The ranking.', content: { 'application/json': { schema: responseSchema } } },
    ...errorResponses(
      'INVALID_REQUEST',
      'REQUEST_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'INVALID_EMBEDDING',
      'EMBEDDING_SPACE_MISMATCH',
    ),
  },
});

export function addCompareRoute({ add, config }: Api): void {
  add(route, async (c) => {
    const request = await readCompareRequest(c.req.raw, config);
    c.header('Cache-Control', 'no-store');
    return c.json(rankReferences(request));
  });
}

async function readCompareRequest(request: Request, config: Config) {
  if (mediaTypeOf(request) !== 'application/json') {
    throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', { detail: 'Accepted is application/json.' });
  }
  const body = await readJson(request, config.MAX_REQUEST_SIZE);
  const references = (body as { reference_embeddings?: unknown } | null)?.reference_embeddings;
  // Before the schema, which would look at every one of them.
  if (Array.isArray(references) && references.length > config.MAX_REFERENCES) {
    throw new ServiceError('REQUEST_TOO_LARGE', {
      detail: `${references.length} references; the limit is ${config.MAX_REFERENCES}.`,
    });
  }
  return parseWith(requestSchema, body);
}
