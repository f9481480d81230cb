import { z } from '@hono/zod-openapi';
import type { Base64Text } from '../base64.ts';
import { optionsSchema } from '../routes/embed/request.ts';
import { DISTANCE_METRICS } from '../similarity/compare.ts';
import type { UncheckedEmbedding } from '../similarity/embedding.ts';
import { COMPARE_DEFAULTS, COMPARED_FACES, MAX_SPACE_LENGTH } from './compare-shape.ts';
import { parseWith } from './validate.ts';

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

const spaceSchema = z.string().max(MAX_SPACE_LENGTH).optional().openapi({
  description: 'As `/v1/embed` named it. Two that differ are refused.',
  example: 'buffalo_l:4c06341c33c2',
});

const idSchema = z.string().openapi({ description: "The caller's name for it.", example: 'user_001' });

/** Here always a string; without this schema it may be another kind of text. */
const base64Schema = z.custom<Base64Text>((value) => typeof value === 'string', 'expected a string');

const imageSchema = base64Schema.openapi({
  type: 'string',
  description: 'A picture as `/v1/embed` takes it in JSON: a data URL or bare base64.',
  example: 'data:image/jpeg;base64,/9j/4AAQSkZJRg…',
});

const querySchema = z.strictObject({
  id: idSchema,
  embedding: embeddingSchema,
  embedding_space: spaceSchema,
});

const referenceSchema = z.strictObject({
  id: idSchema,
  embedding: embeddingSchema.optional(),
  image: imageSchema.optional(),
  embedding_space: spaceSchema,
});

const blockSchema = z
  .strictObject({
    ids: z.array(idSchema),
    embeddings: base64Schema.openapi({
      type: 'string',
      description:
        'One base64 text of ids.length × n little-endian float32: the embeddings in the order of the ids.',
    }),
    embedding_space: spaceSchema,
  })
  .openapi('EmbeddingBlock', {
    description: 'Many embeddings in one text. For thousands, the shortest and fastest form.',
  });

const eitherOr = (list: z.ZodType) =>
  z.union([list, blockSchema], 'expected a list of {id, embedding} or a block {ids, embeddings}');

const queriesSchema = z.array(querySchema);
const referencesSchema = z.array(referenceSchema);

export const compareRequestSchema = z
  .strictObject({
    query_embedding: embeddingSchema.optional(),
    query_embeddings: (eitherOr(queriesSchema) as z.ZodType<Queries>).optional().openapi({
      description: 'Several queries, each of which gets `matches` of its own: a list or a block.',
    }),
    query_image: imageSchema.optional(),
    embedding_space: spaceSchema,
    reference_embeddings: (eitherOr(referencesSchema) as z.ZodType<References>).openapi({
      description: 'A list, whose items have either `embedding` or `image`, or a block.',
    }),
    distance_metric: z.enum(DISTANCE_METRICS).default(COMPARE_DEFAULTS.distance_metric).openapi({
      description: '`cosine`: 1 − cos. `euclidean`: ‖q − r‖ of the unit vectors. Both are 0..2.',
    }),
    threshold: z.number().min(0).max(2).optional().openapi({
      description:
        'Largest distance, in the chosen metric, that counts as a match. Without it there is no verdict.',
      example: 0.4,
    }),
    top_k: z.int().min(1).optional().openapi({ description: 'Most matches of a query.', example: 10 }),
    faces: z.enum(COMPARED_FACES).default(COMPARE_DEFAULTS.faces).openapi({
      description:
        'Which face of a picture: `largest`, the largest, most central one; `single`: exactly one, else an error.',
    }),
    detection: optionsSchema.shape.detection,
    detection_threshold: optionsSchema.shape.detection_threshold,
    return_embeddings: z.boolean().default(COMPARE_DEFAULTS.return_embeddings).openapi({
      description: 'Whether the faces of the pictures are answered with their embeddings.',
    }),
    encoding_format: optionsSchema.shape.encoding_format,
  })
  .openapi('CompareRequest', {
    description:
      'Exactly one of `query_embedding`, `query_embeddings` and `query_image`. `faces`, `detection`, ' +
      '`detection_threshold`, `return_embeddings` and `encoding_format` are about pictures.',
  });

type Queries = z.output<typeof queriesSchema> | z.output<typeof blockSchema>;
type References = z.output<typeof referencesSchema> | z.output<typeof blockSchema>;

/** A compare request of the right shape. Which of its members go together has not been looked at. */
export type CompareBody = z.output<typeof compareRequestSchema>;

/**
 * Validates the body of a compare request.
 *
 * @throws {ServiceError} INVALID_REQUEST.
 */
export function parseCompareBody(body: unknown): CompareBody {
  const members = (body ?? {}) as Partial<Record<string, unknown>>;
  // Of a union, zod tells no more than that neither fits: the one that is meant knows better what is wrong.
  const meant = (value: unknown, list: z.ZodType, either: z.ZodType) => {
    if (Array.isArray(value)) return list;
    return value !== null && typeof value === 'object' && ('ids' in value || 'embeddings' in value)
      ? blockSchema
      : either;
  };
  const { query_embeddings, reference_embeddings } = compareRequestSchema.shape;
  const schema = compareRequestSchema.extend({
    query_embeddings: meant(members.query_embeddings, queriesSchema, query_embeddings).optional(),
    reference_embeddings: meant(members.reference_embeddings, referencesSchema, reference_embeddings),
  });
  return parseWith(schema, body) as CompareBody;
}
