import type { Config } from '../../src/config/settings.ts';
import type { FaceEngine } from '../../src/engine/engine.ts';
import { createApp } from '../../src/http/app.ts';
import { ApiKeys } from '../../src/http/auth/api-keys.ts';
import type { AppDependencies } from '../../src/http/routes.ts';
import { JsonDesk } from '../../src/json/service.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import { Permits } from '../../src/threads/permits.ts';
import { silentLog } from './engines.ts';
import { type Answer, answerOf } from './http.ts';

/** The application as ports.ts puts it together, over any engine, with anything replaced. */
export function assembleApp(config: Config, engine: FaceEngine, replaced: Partial<AppDependencies> = {}) {
  const bodies = new Permits(config.MAX_INFLIGHT_BYTES);
  const metrics = new Metrics({ engine, bodies, version: '0.0.0' });
  const json = new JsonDesk({
    maxQueue: config.MAX_QUEUE,
    maxWait: config.REQUEST_TIMEOUT_MS,
    log: silentLog,
  });
  const dependencies: AppDependencies = {
    config,
    engine,
    json,
    keys: ApiKeys.load(config, silentLog),
    bodies,
    metrics,
    lifecycle: { draining: false },
    observers: [metrics],
    log: silentLog,
    ...replaced,
  };
  return { app: createApp(dependencies), ...dependencies };
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
