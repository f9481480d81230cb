import { z } from 'zod';
import type { Base64Text } from '../base64.ts';
import { LIVENESS_MODES } from '../config/settings.ts';
import { DISTANCE_METRICS } from '../similarity/compare.ts';
import type { UncheckedEmbedding } from '../similarity/embedding.ts';
import { PERSON_DISTANCES } from '../similarity/person-embeddings.ts';
import { optionsSchema } from './embed-options.ts';
import { isText } from './parse/long-text.ts';
import { NumberText } from './parse/number-text.ts';
import { shapeOf } from './parse/shape-of.ts';
import { validate } from './validate.ts';

/*
 * The body of a compare request. Types, validation and the OpenAPI document derive from it. It uses plain zod, not
 * @hono/zod-openapi, which takes twice as long to load: the JSON thread loads this file with its first compare request.
 */

/** Checks the type only. The numbers are checked when they are read; a schema would visit each of them first. */
const embeddingSchema = z
  .custom<UncheckedEmbedding>(
    (value) => isText(value) || value instanceof NumberText || Array.isArray(value),
    'expected an array of numbers or a base64 string',
  )
  .meta({
    id: 'GivenEmbedding',
    type: ['array', 'string'],
    items: { type: 'number' },
    description:
      'Numbers, or the base64 of little-endian float32 that `/v1/embed` returns. It is scaled to L2 norm 1.',
    example: [0.0123, -0.0456],
  });

const spaceSchema = z.string().max(200).optional().meta({
  description: 'As `/v1/embed` returned it. Different values in one request are refused.',
  example: 'buffalo_l:4c06341c33c2',
});

const idSchema = z
  .string()
  .meta({ description: "The caller's id for this query or reference.", example: 'user_001' });

const base64Schema = z.custom<Base64Text>(isText, 'expected a string');

const imageSchema = base64Schema.meta({
  type: 'string',
  description: 'A picture, as in a JSON body of `/v1/embed`: a data URL or bare base64.',
  example: 'data:image/jpeg;base64,/9j/4AAQSkZJRg…',
});

const queryListSchema = z.array(
  z
    .strictObject({ id: idSchema, embedding: embeddingSchema, embedding_space: spaceSchema })
    .meta({ id: 'QueryEmbedding' }),
);

const referenceListSchema = z.array(
  z
    .strictObject({
      id: idSchema,
      embedding: embeddingSchema.optional(),
      embeddings: z
        .array(embeddingSchema)
        .min(1, 'expected at least one embedding')
        .optional()
        .meta({
          description:
            'Several embeddings of one person, in place of `embedding`. Each counts as a reference in `MAX_REFERENCES` and ' +
            '`MAX_COMPARISONS`.',
        }),
      image: imageSchema.optional(),
      embedding_space: spaceSchema,
    })
    .meta({ id: 'ReferenceEmbedding', description: 'One of `embedding`, `embeddings` and `image`.' }),
);

const blockSchema = z
  .strictObject({
    ids: z.array(idSchema),
    embeddings: base64Schema.meta({
      type: 'string',
      description:
        'One base64 string of ids.length × n little-endian float32 values: the embeddings in the order of the ids.',
    }),
    embedding_space: spaceSchema,
  })
  .meta({
    id: 'EmbeddingBlock',
    description: 'Many embeddings in one string: the smallest and fastest form for thousands of them.',
  });

const listOrBlock = <List extends z.ZodType>(list: List) =>
  z.union([list, blockSchema], 'expected a list of {id, embedding} or a block {ids, embeddings}');

const queriesSchema = listOrBlock(queryListSchema);
const referencesSchema = listOrBlock(referenceListSchema);

/** A maximum rate. */
export const rateSchema = z.number().gt(0).max(1);

/** Its limits, so that the OpenAPI document has both. */
export const countSchema = z.int().min(1).max(Number.MAX_SAFE_INTEGER);

export const compareRequestSchema = z
  .strictObject({
    query_embedding: embeddingSchema.optional(),
    query_embeddings: queriesSchema.optional().meta({
      description: 'Several queries, as a list or a block. Each gets its own `matches`.',
    }),
    query_image: imageSchema.optional(),
    embedding_space: spaceSchema,
    reference_embeddings: referencesSchema.meta({
      description: 'A list, whose items have one of `embedding`, `embeddings` and `image`, or a block.',
    }),
    distance_metric: z.enum(DISTANCE_METRICS).default('cosine').meta({
      description: '`cosine`: 1 − cos. `euclidean`: ‖q − r‖ of the unit vectors. Both are 0..2.',
    }),
    threshold: z.number().min(0).max(2).optional().meta({
      description:
        'Maximum distance, in the chosen metric, that counts as a match. Without it, matches have no `is_match`.',
      example: 0.7,
    }),
    max_far: rateSchema.optional().meta({
      description:
        'In place of `threshold`: a match is what has a `far.estimate` of at most this. It takes measured thresholds of the pack ' +
        'that carry the rate; else the request is refused, and `detail` says what they carry.',
      example: 0.001,
    }),
    max_fpir: rateSchema.optional().meta({
      description:
        'In place of `threshold`, for a search: a match is what is found by at most this share of strangers who search among as ' +
        'many references as the request has, 1 − (1 − far)^n.',
      example: 0.01,
    }),
    allow_provisional: z
      .boolean()
      .default(false)
      .meta({
        description:
          'Whether `far`, `max_far` and `max_fpir` may use the provisional figures that come with the service, if the pack has no ' +
          'measured ones. They are of other photographs than yours; the answer says `provisional`.',
      }),
    top_k: countSchema.optional().meta({ description: 'Maximum matches of a query.', example: 10 }),
    faces: z
      .enum(['largest', 'single'])
      .default('largest')
      .meta({
        description:
          'Which face of a picture is compared. `largest`: the largest, most central face. `single`: exactly one face, ' +
          'else an error.',
      }),
    detection: optionsSchema.shape.detection,
    detection_threshold: optionsSchema.shape.detection_threshold,
    orientation: optionsSchema.shape.orientation,
    return_embeddings: z.boolean().default(false).meta({
      description: 'Whether the embeddings of the pictures are returned.',
    }),
    encoding_format: optionsSchema.shape.encoding_format,
    liveness: z.enum(LIVENESS_MODES).optional().meta({
      description:
        'Of `query_image`, as in `/v1/embed`; references are not judged. Default: the service’s `LIVENESS`.',
    }),
    person_distance: z
      .enum(PERSON_DISTANCES)
      .default('nearest')
      .meta({
        description:
          'The distance to a reference with `embeddings`. `nearest`: that to the nearest of them. `mean`: that to the mean of their ' +
          'unit vectors, scaled to norm 1.',
      }),
  })
  .meta({
    id: 'CompareRequest',
    description:
      'Exactly one of `query_embedding`, `query_embeddings` and `query_image`. `faces`, `detection`, ' +
      '`detection_threshold`, `orientation`, `return_embeddings`, `encoding_format` and `liveness` apply to pictures.',
  });

/** What is read of the body of a compare request. */
export const COMPARE_BODY = shapeOf(compareRequestSchema);

/** A valid compare request. Which of its members go together is checked in compare-request.ts. */
export type CompareBody = z.output<typeof compareRequestSchema>;

type Form = 'list' | 'block' | 'either';

const formOf = (value: unknown): Form => {
  if (Array.isArray(value)) return 'list';
  const isObject = value !== null && typeof value === 'object';
  return isObject && ('ids' in value || 'embeddings' in value) ? 'block' : 'either';
};

/**
 * Schemas for one form of the queries and one of the references. About a union, zod reports only that neither side fits; the
 * schema of the form that was sent says what is wrong. A schema is compiled at its first use, so each is kept.
 */
const schemas = new Map<string, z.ZodType<CompareBody>>();

function schemaFor(queries: Form, references: Form): z.ZodType<CompareBody> {
  const key = `${queries} ${references}`;
  const known = schemas.get(key);
  if (known) return known;
  const schema = compareRequestSchema.extend({
    query_embeddings: { list: queryListSchema, block: blockSchema, either: queriesSchema }[
      queries
    ].optional(),
    reference_embeddings: { list: referenceListSchema, block: blockSchema, either: referencesSchema }[
      references
    ],
  });
  schemas.set(key, schema as z.ZodType<CompareBody>);
  return schema as z.ZodType<CompareBody>;
}

/**
 * Validates the body of a compare request.
 *
 * @throws {ServiceError} INVALID_REQUEST.
 */
export function validateCompareBody(body: unknown): CompareBody {
  const { query_embeddings, reference_embeddings } = (body ?? {}) as Partial<Record<string, unknown>>;
  return validate(schemaFor(formOf(query_embeddings), formOf(reference_embeddings)), body);
}
