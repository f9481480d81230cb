import type { Config } from '../../../src/config/settings.ts';
import type { FaceEngine } from '../../../src/engine/engine.ts';
import { ApiKeys } from '../../../src/http/auth/api-keys.ts';
import { RateLimits } from '../../../src/http/auth/rate-limits.ts';
import { JsonService } from '../../../src/json/service.ts';
import { Metrics } from '../../../src/observability/metrics.ts';
import type { RouteDependencies } from '../../../src/routes/api.ts';
import { createServiceApp } from '../../../src/routes/apps.ts';
import { FairPermits } from '../../../src/threads/fair-permits.ts';
import { Permits } from '../../../src/threads/permits.ts';
import { silentLog } from '../engine/engines.ts';
import { type Answer, answerOf } from './answer.ts';

/** Assembles the application as service.ts does, for any engine and with any part replaced. */
export function assembleApp(config: Config, engine: FaceEngine, replaced: Partial<RouteDependencies> = {}) {
  const bodies = new Permits(config.MAX_INFLIGHT_BYTES);
  const uploads = new FairPermits({
    capacity: config.MAX_UPLOADS,
    reserve: Math.ceil(config.MAX_UPLOADS / 2),
  });
  const keys = ApiKeys.load(config, silentLog);
  const metrics = new Metrics({ engine, bodies, uploads, log: { dropped: 0 }, keys, version: '0.0.0' });
  const json = new JsonService({
    maxQueue: config.MAX_QUEUE,
    maxWait: config.REQUEST_TIMEOUT_MS,
    maxRun: config.WORKER_TIMEOUT_MS,
    log: silentLog,
  });
  const dependencies: RouteDependencies = {
    config,
    engine,
    json,
    keys,
    bodies,
    uploads,
    rates: new RateLimits(config.RATE_LIMIT_PER_KEY),
    metrics,
    lifecycle: { draining: false },
    observers: [metrics],
    log: silentLog,
    ...replaced,
  };
  return { app: createServiceApp(dependencies), ...dependencies };
}

/** @returns what posts an encoded image to `/v1/embed` of an app around the engine. */
export function imageSender(
  config: Config,
  engine: FaceEngine,
): (image: Uint8Array<ArrayBuffer>) => Promise<Answer> {
  const { app } = assembleApp(config, engine);
  const headers = { 'Content-Type': 'application/octet-stream' };
  return async (body) => answerOf(await app.request('/v1/embed', { method: 'POST', headers, body }));
}
