import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Config } from '../../config/settings.ts';
import { ServiceError } from '../../errors.ts';
import type { AppEnvironment } from '../routes.ts';
import { type ApiKeys, bearerToken, equalSecrets } from './api-keys.ts';

/** Who may use a route: everyone (probes, documents), callers with an API key, or whoever reads the metrics. */
export type Access = 'everyone' | 'callers' | 'scraper';

/**
 * Lets a request through or not, and notes the name of its key.
 *
 * @throws {ServiceError} UNAUTHORIZED.
 */
export function authorise(
  c: Context<AppEnvironment>,
  access: Access,
  { keys, config }: { keys: ApiKeys; config: Pick<Config, 'METRICS_TOKEN'> },
): void {
  if (access === 'everyone') return;
  const { headers } = c.req.raw;
  if (access === 'scraper' && config.METRICS_TOKEN !== '') {
    if (!equalSecrets(bearerToken(headers) ?? '', config.METRICS_TOKEN)) throw unauthorised();
    return;
  }
  if (!keys.required) return;
  const name = keys.identify(headers);
  if (name === undefined) throw unauthorised();
  c.get('record').keyName = name;
}

function unauthorised(): ServiceError {
  return new ServiceError('UNAUTHORIZED', {
    detail: 'Send it as "Authorization: Bearer <key>" or as "X-API-Key: <key>".',
  });
}

/** Either header will do. */
export const SECURITY: Record<string, string[]>[] = [{ bearer: [] }, { apiKey: [] }];

export function declareSecuritySchemes(registry: OpenAPIHono['openAPIRegistry']): void {
  registry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key, where the service is configured with any.',
  });
  registry.registerComponent('securitySchemes', 'apiKey', {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'The same key in a header of its own.',
  });
}
