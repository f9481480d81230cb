import type { AppDependencies } from '../../src/api/api.ts';
import { ApiKeys } from '../../src/api/api-keys.ts';
import { JsonDesk } from '../../src/api/json-desk.ts';
import { createApp } from '../../src/app.ts';
import type { Config } from '../../src/config.ts';
import type { FaceEngine } from '../../src/engine/engine.ts';
import { Permits } from '../../src/engine/permits.ts';
import { Metrics } from '../../src/observability/metrics.ts';
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
