import { createRoute, z } from '@hono/zod-openapi';
import { errorResponses } from '../http/document/error-responses.ts';
import type { Api } from './api.ts';

const route = createRoute({
  method: 'get',
  path: '/metrics',
  operationId: 'getMetrics',
  tags: ['Status'],
  summary: 'Metrics of this process, for Prometheus',
  description: 'Requires `METRICS_TOKEN` if it is set, else an API key if any are configured.',
  responses: {
    200: { description: 'Prometheus text format.', content: { 'text/plain': { schema: z.string() } } },
    ...errorResponses('UNAUTHORIZED'),
  },
});

export function addMetricsRoute({ add, metrics }: Api): void {
  add(route, 'scraper', async (c) =>
    c.body(await metrics.render(), 200, { 'Content-Type': metrics.contentType }),
  );
}
