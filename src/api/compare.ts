import { createRoute, z } from '@hono/zod-openapi';
import { ServiceError } from '../errors.ts';
import { recordStages } from '../observability/request-record.ts';
import { DISTANCE_METRICS } from '../similarity/compare.ts';
import type { Api } from './api.ts';
import { compareRequestSchema } from './compare-request.ts';
import { errorResponses } from './failures.ts';

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
  request: { body: { required: true, content: { 'application/json': { schema: compareRequestSchema } } } },
  responses: {
    200: { description: 'The ranking.', content: { 'application/json': { schema: responseSchema } } },
    ...errorResponses(
      'INVALID_REQUEST',
      'UNAUTHORIZED',
      'REQUEST_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'INVALID_EMBEDDING',
      'EMBEDDING_SPACE_MISMATCH',
      'OVERLOADED',
      'DEADLINE_EXCEEDED',
    ),
  },
});

export function addCompareRoute({ add, config, json }: Api): void {
  add(route, 'callers', async (c) => {
    const incoming = c.get('body');
    if (incoming.mediaType !== 'application/json') {
      throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', { detail: 'Accepted is application/json.' });
    }
    const body = await incoming.read({ bytes: config.MAX_REQUEST_SIZE, code: 'REQUEST_TOO_LARGE' });
    const { result, waited } = await json.run(
      { kind: 'compare', body, maxReferences: config.MAX_REFERENCES },
      c.req.raw.signal,
    );
    recordStages(c.get('record'), { queue: waited, compare: result.ms });
    return c.body(result.answer, 200, { 'Content-Type': 'application/json' });
  });
}
