import { createRoute, z } from '@hono/zod-openapi';
import { ServiceError } from '../errors.ts';
import type { Api } from './api.ts';
import { errorResponses, failWith } from './failures.ts';

const HEALTH = {
  ready: 'healthy',
  starting: 'starting',
  draining: 'draining',
  unavailable: 'unhealthy',
} as const;

const healthSchema = z
  .object({
    status: z.enum(Object.values(HEALTH)),
    model_loaded: z.boolean(),
    model_name: z.string().openapi({ example: 'buffalo_l' }),
  })
  .openapi('Health');

const healthRoute = createRoute({
  method: 'get',
  path: '/v1/health',
  tags: ['Status'],
  summary: 'Whether the service can embed faces',
  description: 'Never waits for inference. With 503 the body also has the members of every error.',
  responses: {
    200: { description: 'Healthy.', content: { 'application/json': { schema: healthSchema } } },
    ...errorResponses('MODEL_NOT_LOADED'),
  },
});

const liveRoute = createRoute({
  method: 'get',
  path: '/livez',
  tags: ['Status'],
  summary: 'Whether the process is alive',
  responses: {
    200: {
      description: 'As long as the event loop turns.',
      content: { 'application/json': { schema: z.object({ status: z.literal('alive') }) } },
    },
  },
});

const readyRoute = createRoute({
  method: 'get',
  path: '/readyz',
  tags: ['Status'],
  summary: 'Whether the process should get traffic',
  description:
    'Ready when the weights are loaded, verified and warmed up, a worker lives, and the process is not draining.',
  responses: {
    200: {
      description: 'Ready.',
      content: { 'application/json': { schema: z.object({ status: z.literal('ready') }) } },
    },
    ...errorResponses('MODEL_NOT_LOADED'),
  },
});

export function addStatusRoutes({ add, config, engine }: Api): void {
  const notReady = (reason: string) => new ServiceError('MODEL_NOT_LOADED', { detail: reason });

  add(liveRoute, (c) => c.json({ status: 'alive' }));

  add(readyRoute, (c) => {
    const { status } = engine;
    if (status.phase === 'ready') return c.json({ status: 'ready' });
    return failWith(c, notReady(status.reason), { status: HEALTH[status.phase] });
  });

  add(healthRoute, (c) => {
    const { status } = engine;
    const health = {
      status: HEALTH[status.phase],
      model_loaded: engine.model !== undefined,
      model_name: config.MODEL_NAME,
    };
    return status.phase === 'ready' ? c.json(health) : failWith(c, notReady(status.reason), health);
  });
}
