import { setTimeout as sleep } from 'node:timers/promises';
import { ApiKeys } from './api/api-keys.ts';
import { JsonDesk } from './api/json-desk.ts';
import { createApp, createMetricsApp } from './app.ts';
import { type Config, loadConfig, readEnvironment } from './config.ts';
import { assertDeviceAvailable } from './engine/device.ts';
import { InferenceEngine } from './engine/inference-engine.ts';
import { Permits } from './engine/permits.ts';
import { StartupError } from './errors.ts';
import type { Lifecycle } from './lifecycle.ts';
import { createLogger, type Logger } from './log.ts';
import { assertKnownPack } from './models/resolve.ts';
import { Metrics } from './observability/metrics.ts';
import { createRequestLog } from './observability/request-log.ts';
import { isRoutine, type RequestObserver } from './observability/request-record.ts';
import { startTracing } from './observability/tracing.ts';
import { type ListeningServer, listen } from './server.ts';
import { VERSION } from './version.ts';

/** The process: reads the configuration, listens, loads, and drains when told to end. */
async function main(): Promise<void> {
  const environment = readEnvironment();
  const config = loadConfig(environment);
  await assertKnownPack(config.MODEL_NAME, config.MODELS_DIR);
  await assertDeviceAvailable(config.DEVICE);
  const log = createLogger({ level: config.LOG_LEVEL, name: config.APP_NAME });
  const keys = ApiKeys.load(config, log);

  const lifecycle: Lifecycle = { draining: false };
  const engine = new InferenceEngine(config, log);
  const bodies = new Permits(config.MAX_INFLIGHT_BYTES);
  const metrics = new Metrics({ engine, bodies, version: VERSION });
  const tracing = await startTracing({ environment, serviceName: config.APP_NAME, version: VERSION, log });
  const observers: RequestObserver[] = [metrics, createRequestLog(log)];
  if (tracing) observers.push({ observe: (record) => isRoutine(record) || tracing.record(record) });
  const json = new JsonDesk({ maxQueue: config.MAX_QUEUE, maxWait: config.REQUEST_TIMEOUT_MS, log });
  const dependencies = { config, engine, json, keys, bodies, metrics, lifecycle, observers, log };

  const { HOST: host, PORT, METRICS_PORT } = config;
  const server = await listen(createApp(dependencies), { host, port: PORT, setting: 'PORT' }, config);
  const metricsServer =
    METRICS_PORT === undefined
      ? undefined
      : await listen(
          createMetricsApp(dependencies),
          { host, port: METRICS_PORT, setting: 'METRICS_PORT' },
          config,
        );
  drainOnSignal({ config, lifecycle, server, log }, async () => {
    await Promise.all([engine.close(), json.close(), tracing?.shutdown()]);
    await metricsServer?.close();
    keys.close();
  });
  // Said last: whoever reads it may send a signal at once.
  log.info({ host, port: server.port, version: VERSION, workers: config.WORKERS }, 'listening');
  if (!keys.required) log.warn('No API keys are configured: whoever reaches the port may call.');
  engine.start();
}

interface Drain {
  config: Config;
  lifecycle: Lifecycle;
  server: ListeningServer;
  log: Logger;
}

/**
 * Ends the process without waiting for threads in mid-inference: exiting would terminate them, and ONNX Runtime answers
 * that by an abort. The first process of a container cannot kill itself, so there it is an abort after all.
 */
function kill(): void {
  process.kill(process.pid, 'SIGKILL');
  process.abort();
}

/** @param close ends everything behind the port, when every request has been answered. */
function drainOnSignal({ config, lifecycle, server, log }: Drain, close: () => Promise<void>): void {
  const onSignal = async (signal: NodeJS.Signals) => {
    if (lifecycle.draining) {
      log.warn({ signal }, 'second signal, killing the process');
      kill();
      return;
    }
    lifecycle.draining = true;
    log.info({ signal, delayMs: config.SHUTDOWN_DELAY_MS }, 'draining');
    await sleep(config.SHUTDOWN_DELAY_MS);
    setTimeout(() => {
      log.error({ graceMs: config.SHUTDOWN_GRACE_MS }, 'work is still in flight, killing the process');
      kill();
    }, config.SHUTDOWN_GRACE_MS).unref();
    // First every request is answered, also those whose image is still on its way; then the workers end.
    await server.close();
    await close();
    log.info('drained');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof StartupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
