import { VERSION } from './config/package.ts';
import type { Config } from './config/settings.ts';
import type { FaceEngine } from './engine/engine.ts';
import type { ApiKeys } from './http/auth/api-keys.ts';
import type { Lifecycle } from './http/context.ts';
import { listen } from './http/server.ts';
import { JsonService } from './json/service.ts';
import type { Logger } from './observability/log.ts';
import { Metrics } from './observability/metrics.ts';
import { createRequestLog } from './observability/request-log.ts';
import { isRoutine, type RequestObserver } from './observability/request-record.ts';
import type { Tracing } from './observability/tracing.ts';
import { createMetricsApp, createServiceApp } from './routes/apps.ts';
import { Permits } from './threads/permits.ts';

export interface PortsOptions {
  config: Config;
  engine: FaceEngine;
  keys: ApiKeys;
  tracing: Tracing | undefined;
  lifecycle: Lifecycle;
  log: Logger;
}

/** The ports of the process, open. */
export interface Ports {
  /** That of the API: another than asked for when that was 0. */
  port: number;
  /** Takes no connection at the API's port any more; settles when every request has been answered. */
  drain: () => Promise<void>;
  /** Ends the rest, which is the metrics' port last: a drain can be watched there. */
  close: () => Promise<void>;
}

/**
 * Opens the port of the API, and that of the metrics if it is another.
 *
 * @throws {StartupError} when one cannot be listened on.
 */
export async function openPorts(options: PortsOptions): Promise<Ports> {
  const { config, engine, keys, tracing, lifecycle, log } = options;
  const bodies = new Permits(config.MAX_INFLIGHT_BYTES);
  const metrics = new Metrics({ engine, bodies, version: VERSION });
  const observers: RequestObserver[] = [metrics, createRequestLog(log)];
  if (tracing) observers.push({ observe: (record) => isRoutine(record) || tracing.record(record) });
  const json = new JsonService({ maxQueue: config.MAX_QUEUE, maxWait: config.REQUEST_TIMEOUT_MS, log });
  const dependencies = { config, engine, json, keys, bodies, metrics, lifecycle, observers, log };

  const { HOST: host, PORT, METRICS_PORT } = config;
  const server = await listen(createServiceApp(dependencies), { host, port: PORT, setting: 'PORT' }, config);
  const metricsServer =
    METRICS_PORT === undefined
      ? undefined
      : await listen(
          createMetricsApp(dependencies),
          { host, port: METRICS_PORT, setting: 'METRICS_PORT' },
          config,
        );
  return {
    port: server.port,
    drain: server.close,
    async close() {
      await json.close();
      await metricsServer?.close();
    },
  };
}
