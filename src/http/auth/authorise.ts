import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { ServiceError } from '../../errors.ts';
import type { Access, AppEnvironment, HttpDependencies } from '../context.ts';
import { bearerToken, equalSecrets } from './api-keys.ts';

/**
 * Checks that the request may use the route, and records the name of its key.
 *
 * @throws {ServiceError} UNAUTHORIZED.
 */
export function authorise(
  c: Context<AppEnvironment>,
  access: Access,
  { keys, config }: Pick<HttpDependencies, 'keys' | 'config'>,
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

/** Either header is enough. */
export const SECURITY: Record<string, string[]>[] = [{ bearer: [] }, { apiKey: [] }];

export function declareSecuritySchemes(registry: OpenAPIHono['openAPIRegistry']): void {
  registry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key. Required only if the service is configured with API keys.',
  });
  registry.registerComponent('securitySchemes', 'apiKey', {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'The same key in the `X-API-Key` header.',
  });
}
