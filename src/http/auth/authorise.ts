import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { ServiceError } from '../../errors.ts';
import { networkOf } from '../client-address.ts';
import type { Access, AppEnvironment, HttpDependencies } from '../context.ts';
import { bearerToken, equalSecrets } from './api-keys.ts';

/**
 * Checks that the request may use the route now, and records whom it counts for.
 *
 * @throws {ServiceError} UNAUTHORIZED or RATE_LIMITED.
 */
export function authorise(
  c: Context<AppEnvironment>,
  access: Access,
  { keys, config, rates }: Pick<HttpDependencies, 'keys' | 'config' | 'rates'>,
): void {
  if (access === 'everyone') return;
  const { headers } = c.req.raw;
  if (access === 'scraper' && config.METRICS_TOKEN !== '') {
    if (!equalSecrets(bearerToken(headers) ?? '', config.METRICS_TOKEN)) throw unauthorised();
    return;
  }
  const record = c.get('record');
  if (keys.required) {
    record.keyName = keys.identify(headers);
    if (record.keyName === undefined) throw unauthorised();
  }
  // Scrapers come at their own rate.
  if (access === 'scraper') return;
  record.tenant = record.keyName ?? (record.client === undefined ? '' : networkOf(record.client));
  rates.take(record.tenant);
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
