import { createRoute, z } from '@hono/zod-openapi';
import { ServiceError } from '../../errors.ts';
import { answerJson } from '../../http/answer/answer-json.ts';
import { errorResponses } from '../../http/document/error-responses.ts';
import { compareRequestSchema } from '../../json/compare-schema.ts';
import { validate } from '../../json/validate.ts';
import { recordStages } from '../../observability/request-record.ts';
import { DISTANCE_METRICS } from '../../similarity/compare.ts';
import { type Api, IMAGE_ERRORS } from '../api.ts';
import { imageSchema, modelSchema, rotationSchema } from '../embed/answer.ts';
import { faceShape } from '../face.ts';
import { queryOf } from '../query.ts';
import { evidenceOf } from './evidence.ts';
import { COMPARE_EXAMPLES } from './examples.ts';
import { embedPictures } from './pictures.ts';
import { compareQuerySchema } from './query-options.ts';

const pictureSchema = z
  .object({
    ...faceShape,
    embedding: faceShape.embedding.optional(),
    image: imageSchema,
    rotation: rotationSchema,
  })
  .openapi('ComparedFace', {
    description:
      'The face of a picture, as `/v1/embed` describes it; with `embedding` if `return_embeddings` is true. It is the `query` ' +
      'of a request with `query_image`, and the `face` of a match whose reference has an `image`.',
  });

const rateSchema = z
  .object({
    estimate: z.number().optional().openapi({ example: 0.0002 }),
    low: z.number().optional().openapi({ example: 0.00014 }),
    high: z.number().openapi({ example: 0.00029 }),
  })
  .openapi('RateInterval', {
    description:
      'A rate, 0..1, with its 95 % interval: what another group of as many people as were measured would show. Only `high` ' +
      'where the measured pairs are too few for an estimate. `far` of a match: the share of pairs of strangers that are at least ' +
      'as near; with measured thresholds of the loaded pack. `fpir`, in `best_match` only: the share of strangers who find ' +
      'something at least as near among as many references as the request has, 1 − (1 − far)^n. Each of k embeddings of one person ' +
      'counts in n; the `far` of their match has the `low` of one pair, and 1 − (1 − far)^k for `estimate` and `high`.',
  });

const matchSchema = z
  .object({
    id: z.string(),
    distance: z.number().openapi({ description: '0..2 in the chosen metric.' }),
    similarity: z.number().openapi({ description: '(1 + cos) / 2, 0..1, whatever the metric.' }),
    is_match: z.boolean().optional().openapi({
      description:
        'distance ≤ `threshold`, far.estimate ≤ `max_far`, or the same of the search’s rate and `max_fpir`; only with one of them.',
    }),
    far: rateSchema.optional(),
    fpir: rateSchema.optional(),
    face: pictureSchema.optional(),
  })
  .openapi('Match');

const rankingShape = {
  matches: z.array(matchSchema).openapi({ description: 'Nearest first, ties in request order.' }),
  // Not `nullable()`, of which the document would make an object that is never null.
  best_match: z
    .union([matchSchema, z.null()])
    .openapi({ description: 'The first match; null without references.' }),
};

const commonShape = {
  distance_metric: z.enum(DISTANCE_METRICS),
  threshold: z.number().optional(),
  max_far: z.number().optional(),
  max_fpir: z.number().optional(),
  provisional: z.literal(true).optional().openapi({
    description: 'There if `far` is of the provisional figures that come with the service.',
  }),
  model: modelSchema
    .openapi({ description: 'The model that embedded the pictures, if there are any.' })
    .optional(),
};

const responseSchema = z
  .object({
    query: pictureSchema.optional(),
    ...rankingShape,
    ...commonShape,
  })
  .openapi('CompareResponse', { description: 'The answer to `query_embedding` and `query_image`.' });

const manyResponseSchema = z
  .object({
    results: z
      .array(z.object({ id: z.string(), ...rankingShape }).openapi('QueryRanking'))
      .openapi({ description: 'One ranking for each query, in request order.' }),
    ...commonShape,
  })
  .openapi('CompareManyResponse', { description: 'The answer to `query_embeddings`.' });

const route = createRoute({
  method: 'post',
  path: '/v1/compare',
  operationId: 'compare',
  tags: ['Faces'],
  summary: 'Rank references by their distance to a query',
  description:
    'Comparing embeddings needs no model. They may have any length, which must be the same for all. The query and the ' +
    'references may be pictures instead, at most `MAX_BATCH_SIZE` in all. These are embedded by the loaded model, whose length ' +
    'and embedding space all embeddings must then have. If a picture fails, the `detail` of the error begins with its place in ' +
    'the request, as in `reference_embeddings[3].image: 0 faces`; if several fail, the first is reported.\n\n' +
    'At most `MAX_COMPARISONS` queries × references are compared; the limit shrinks in proportion for embeddings of more than ' +
    '512 numbers. With measured thresholds of the loaded pack, matches carry their false accept rate (`far`), and `max_far` or ' +
    '`max_fpir` decide what a match is. An answer to several queries has at most `MAX_REQUEST_SIZE` bytes: `top_k` makes it smaller.',
  request: {
    query: compareQuerySchema,
    body: {
      required: true,
      content: { 'application/json': { schema: compareRequestSchema, examples: COMPARE_EXAMPLES } },
    },
  },
  responses: {
    200: {
      description: 'The ranking of the references, for each query.',
      content: { 'application/json': { schema: z.union([responseSchema, manyResponseSchema]) } },
    },
    ...errorResponses(...IMAGE_ERRORS, 'INVALID_EMBEDDING', 'EMBEDDING_SPACE_MISMATCH', 'LIVENESS_FAILED'),
  },
});

export function addCompareRoute(api: Api): void {
  const { add, config, engine, json } = api;
  const limits = {
    references: config.MAX_REFERENCES,
    comparisons: config.MAX_COMPARISONS,
    pictures: config.MAX_BATCH_SIZE,
    imageBytes: config.MAX_IMAGE_SIZE,
  };
  const maxAnswerBytes = config.MAX_REQUEST_SIZE;
  add(route, 'callers', async (c) => {
    const incoming = c.get('body');
    if (incoming.mediaType !== 'application/json') {
      throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', { detail: 'Accepted is application/json.' });
    }
    const given = validate(compareQuerySchema, queryOf(c));
    const record = c.get('record');
    const { signal } = c.req.raw;
    const answer = (text: Uint8Array<ArrayBuffer>) => {
      // It has been read, and its place in the budget is for the answer.
      incoming.release();
      return answerJson(c, text);
    };

    const body = await incoming.forward({ bytes: config.MAX_REQUEST_SIZE, code: 'REQUEST_TOO_LARGE' });
    const evidence = evidenceOf(engine.model);
    const read = await json
      .run({ kind: 'compare', body, given, limits, maxAnswerBytes, evidence }, signal, record.tenant)
      .catch((error) => {
        // A rate was asked for before a model was loaded: the engine says whether to come back.
        if (error instanceof ServiceError && error.code === 'MODEL_NOT_LOADED') engine.letIn(record.tenant)();
        throw error;
      });
    recordStages(record, { queue: read.waited, compare: read.result.ms });
    if ('answer' in read.result) return answer(read.result.answer);

    const { pending } = read.result;
    // The vectors are held beside the body while the pictures are embedded.
    const { queries, references } = pending.comparison;
    incoming.hold(queries.values.byteLength + references.values.byteLength);
    const embedded = await embedPictures(pending, api, { record, signal });
    const ranked = await json.run(
      { kind: 'rank', ...embedded, maxAnswerBytes, evidence: evidenceOf(engine.model) },
      signal,
      record.tenant,
    );
    recordStages(record, { queue: ranked.waited, compare: ranked.result.ms });
    return answer(ranked.result.answer);
  });
}
