import { createRoute, z } from '@hono/zod-openapi';
import { ServiceError } from '../errors.ts';
import { errorResponses, errorSchema, exampleError } from '../http/document/error-responses.ts';
import { answerError } from '../http/error-answers.ts';
import type { Api } from './api.ts';

const HEALTH = ['healthy', 'starting', 'draining', 'unhealthy'] as const;

const healthSchema = z
  .object({
    status: z.enum(HEALTH).openapi('HealthStatus'),
    model_loaded: z.boolean(),
    model_name: z.string().openapi({ example: 'buffalo_l' }),
  })
  .openapi('Health');

const notReadySchema = z
  .object({ ...healthSchema.pick({ status: true }).shape, ...errorSchema.shape })
  .openapi('NotReadyResponse');

const unhealthySchema = z
  .object({ ...healthSchema.shape, ...errorSchema.shape })
  .openapi('UnhealthyResponse');

/** The answer of a service that is not ready: that of the error, and the state. */
function unavailable(schema: z.ZodType, members: object) {
  const value = { ...members, ...exampleError('MODEL_NOT_LOADED') };
  const content = { 'application/json': { schema, examples: { MODEL_NOT_LOADED: { value } } } };
  return { description: errorResponses('MODEL_NOT_LOADED')[503]?.description ?? '', content };
}

const healthRoute = createRoute({
  method: 'get',
  path: '/v1/health',
  operationId: 'getHealth',
  tags: ['Status'],
  summary: 'Whether the service can embed faces',
  description: 'Does not wait for inference. With 503, the body also has the members of an error.',
  responses: {
    200: { description: 'Healthy.', content: { 'application/json': { schema: healthSchema } } },
    ...errorResponses(),
    503: unavailable(unhealthySchema, { status: 'starting', model_loaded: false, model_name: 'buffalo_l' }),
  },
});

const liveRoute = createRoute({
  method: 'get',
  path: '/livez',
  operationId: 'getLiveness',
  tags: ['Status'],
  summary: 'Whether the process is alive',
  responses: {
    200: {
      description: 'The process is alive.',
      content: { 'application/json': { schema: z.object({ status: z.literal('alive') }).openapi('Alive') } },
    },
  },
});

const readyRoute = createRoute({
  method: 'get',
  path: '/readyz',
  operationId: 'getReadiness',
  tags: ['Status'],
  summary: 'Whether the process should receive traffic',
  description:
    'Ready when the weights are loaded, verified and warmed up, a worker is alive, and the process is not draining.',
  responses: {
    200: {
      description: 'Ready.',
      content: { 'application/json': { schema: z.object({ status: z.literal('ready') }).openapi('Ready') } },
    },
    ...errorResponses(),
    503: unavailable(notReadySchema, { status: 'starting' }),
  },
});

export function addStatusRoutes({ add, config, engine, lifecycle }: Api): void {
  /** The state that readiness and health report, with the reason if it is not healthy. */
  const currentHealth = (): { health: (typeof HEALTH)[number]; reason?: string } => {
    if (lifecycle.draining) return { health: 'draining', reason: 'The service is shutting down.' };
    const { status } = engine;
    if (status.phase === 'ready') return { health: 'healthy' };
    return { health: status.phase === 'starting' ? 'starting' : 'unhealthy', reason: status.reason };
  };
  const notReady = (reason: string) =>
    new ServiceError('MODEL_NOT_LOADED', { message: 'The service is not ready.', detail: reason });

  add(liveRoute, 'everyone', (c) => c.json({ status: 'alive' }));

  add(readyRoute, 'everyone', (c) => {
    const { health, reason } = currentHealth();
    return reason === undefined
      ? c.json({ status: 'ready' })
      : answerError(c, notReady(reason), { status: health });
  });

  add(healthRoute, 'everyone', (c) => {
    const { health, reason } = currentHealth();
    const body = { status: health, model_loaded: engine.model !== undefined, model_name: config.MODEL_NAME };
    return reason === undefined ? c.json(body) : answerError(c, notReady(reason), body);
  });
}
