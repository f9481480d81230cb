import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig, readEnvironment } from './config/load.ts';
import { VERSION } from './config/package.ts';
import type { Config } from './config/settings.ts';
import { assertDeviceAvailable } from './engine/device.ts';
import { InferenceEngine } from './engine/inference-engine.ts';
import { StartupError } from './errors.ts';
import { addressesOf, assertAddressFree, localUrl } from './http/address.ts';
import { ApiKeys } from './http/auth/api-keys.ts';
import type { Lifecycle } from './http/context.ts';
import { createLogger, type Logger } from './observability/log.ts';
import { startTracing } from './observability/tracing.ts';
import { assertKnownPack } from './packs/pack-folders.ts';
import type { Service, ServiceOptions } from './service.ts';

/** The process: reads the configuration, loads, listens, and drains when a signal tells it to end. */
async function main(): Promise<void> {
  const environment = readEnvironment();
  const config = loadConfig(environment);
  await assertKnownPack(config.MODEL_NAME, config.MODELS_DIR);
  await assertDeviceAvailable(config.DEVICE);
  for (const address of Object.values(addressesOf(config))) await assertAddressFree(address);
  const log = await createLogger({ level: config.LOG_LEVEL, name: config.APP_NAME });
  const keys = ApiKeys.load(config, log);
  const tracing = await startTracing({ environment, serviceName: config.APP_NAME, version: VERSION, log });

  const lifecycle: Lifecycle = { draining: false };
  const engine = new InferenceEngine(config, log);
  // The workers load while this thread reads the modules of HTTP, which takes about as long as all that it has read so far.
  engine.start();
  const service = await startHttp({ config, engine, keys, tracing, lifecycle, log });
  drainOnSignal({ config, lifecycle, service, log }, async () => {
    await Promise.all([engine.close(), tracing?.shutdown()]);
    await service.close();
    keys.close();
  });
  // Last, since a supervisor that reads it may send a signal at once.
  reportListening(config, service, log);
  if (!keys.required) log.warn('No API keys are configured: every caller who reaches the port is served.');
}

async function startHttp(options: ServiceOptions & { engine: InferenceEngine }): Promise<Service> {
  try {
    const { startService } = await import('./service.ts');
    return await startService(options);
  } catch (error) {
    // The process is about to exit, which would terminate workers while they load.
    await options.engine.close();
    throw error;
  }
}

/** A person at a terminal gets sentences, a log collector gets fields. */
const isTerminal = process.stdout.isTTY;

function reportListening(config: Config, { port }: Service, log: Logger): void {
  const { HOST: host, API_PREFIX, MODEL_NAME, WORKERS: workers } = config;
  if (!isTerminal) {
    log.info({ host, port, version: VERSION, workers }, 'listening');
    return;
  }
  const url = localUrl({ host, port }, API_PREFIX);
  log.info(`Version ${VERSION} listens on ${url}, with ${workers} workers. API documentation: ${url}/docs`);
  log.info(`Loading the model pack ${MODEL_NAME}. ${url}/readyz answers 200 when it is loaded.`);
}

interface Drain {
  config: Config;
  lifecycle: Lifecycle;
  service: Service;
  log: Logger;
}

/**
 * Ends the process without waiting for inference. Exiting would terminate threads inside ONNX Runtime, which then aborts. PID 1
 * of a container cannot kill itself, so it does abort.
 */
function kill(): void {
  process.kill(process.pid, 'SIGKILL');
  process.abort();
}

/** @param close ends everything behind the port, when every request has been answered. */
function drainOnSignal({ config, lifecycle, service, log }: Drain, close: () => Promise<void>): void {
  const { SHUTDOWN_DELAY_MS: delayMs, SHUTDOWN_GRACE_MS: graceMs } = config;
  const onSignal = async (signal: NodeJS.Signals) => {
    if (lifecycle.draining) {
      log.warn({ signal }, 'second signal, killing the process');
      kill();
      return;
    }
    lifecycle.draining = true;
    if (isTerminal) {
      log.info(
        `Draining: requests are served for another ${delayMs / 1000} s, then the port closes and accepted work has ` +
          `${graceMs / 1000} s. Press Ctrl-C again to end at once.`,
      );
    } else {
      log.info({ signal, delayMs }, 'draining');
    }
    await sleep(delayMs);
    setTimeout(() => {
      log.error({ graceMs }, 'work is still in flight, killing the process');
      kill();
    }, graceMs).unref();
    // Every request is answered first, including those whose image is still arriving; then the workers end.
    await service.drain();
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
