import { VERSION } from './config/package.ts';
import type { Config } from './config/settings.ts';
import type { FaceEngine } from './engine/engine.ts';
import { addressesOf } from './http/address.ts';
import type { ApiKeys } from './http/auth/api-keys.ts';
import { RateLimits } from './http/auth/rate-limits.ts';
import type { Lifecycle } from './http/context.ts';
import { listen } from './http/server.ts';
import { JsonService } from './json/service.ts';
import type { Logger } from './observability/log.ts';
import type { LogOutput } from './observability/log-output.ts';
import { Metrics } from './observability/metrics.ts';
import { createRequestLog } from './observability/request-log.ts';
import { isRoutine, type RequestObserver } from './observability/request-record.ts';
import type { Tracing } from './observability/tracing.ts';
import { createMetricsApp, createServiceApp } from './routes/apps.ts';
import { FairPermits } from './threads/fair-permits.ts';
import { Permits } from './threads/permits.ts';

export interface ServiceOptions {
  config: Config;
  engine: FaceEngine;
  keys: ApiKeys;
  tracing: Tracing | undefined;
  lifecycle: Lifecycle;
  log: Logger;
  output: LogOutput;
}

/** Clients that send or read too slowly get this share of SHUTDOWN_GRACE_MS; the rest is for work that they leave behind. */
const CLIENTS_SHARE_OF_GRACE = 0.75;
/** Time for a scrape that is under way when the process ends, in milliseconds. */
const SCRAPE_MS = 1_000;

/** The HTTP side of the process, which listens. */
export interface Service {
  /** The main port: a free one if PORT is 0. */
  port: number;
  /** Stops accepting connections on the main port; settles when every request has been answered. */
  drain: () => Promise<void>;
  /** Ends the rest: the JSON thread, then the metrics' port, on which a drain can be watched. */
  close: () => Promise<void>;
}

/**
 * Puts the HTTP side of the process together and listens.
 *
 * @throws {StartupError} when an address cannot be listened on.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, engine, keys, tracing, lifecycle, log, output } = options;
  const bodies = new Permits(config.MAX_INFLIGHT_BYTES);
  const uploads = new FairPermits({
    capacity: config.MAX_UPLOADS,
    reserve: Math.ceil(config.MAX_UPLOADS / 2),
  });
  const metrics = new Metrics({ engine, bodies, uploads, log: output, keys, version: VERSION });
  const observers: RequestObserver[] = [metrics, createRequestLog(log)];
  if (tracing) observers.push({ observe: (record) => isRoutine(record) || tracing.record(record) });
  const json = new JsonService({
    maxQueue: config.MAX_QUEUE,
    maxWait: config.REQUEST_TIMEOUT_MS,
    maxRun: config.WORKER_TIMEOUT_MS,
    log,
  });
  const rates = new RateLimits(config.RATE_LIMIT_PER_KEY);
  const dependencies = {
    config,
    engine,
    json,
    keys,
    bodies,
    uploads,
    rates,
    metrics,
    lifecycle,
    observers,
    log,
  };

  const addresses = addressesOf(config);
  const server = await listen(createServiceApp(dependencies), addresses.main, { config, observers, log });
  const metricsServer =
    addresses.metrics &&
    (await listen(createMetricsApp(dependencies), addresses.metrics, { config, observers: [], log }));
  return {
    port: server.port,
    drain: () => server.close(config.SHUTDOWN_GRACE_MS * CLIENTS_SHARE_OF_GRACE),
    async close() {
      await json.close();
      await metricsServer?.close(SCRAPE_MS);
    },
  };
}
