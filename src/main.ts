import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig, readEnvironment } from './config/load.ts';
import { VERSION } from './config/package.ts';
import type { Config } from './config/settings.ts';
import { assertDeviceAvailable } from './engine/device.ts';
import { InferenceEngine } from './engine/inference-engine.ts';
import { StartupError } from './errors.ts';
import { ApiKeys } from './http/auth/api-keys.ts';
import type { Lifecycle } from './http/lifecycle.ts';
import { createLogger, type Logger } from './observability/log.ts';
import { startTracing } from './observability/tracing.ts';
import { assertKnownPack } from './packs/resolve.ts';
import type { Ports, PortsOptions } from './service.ts';

/** The process: reads the configuration, loads, listens, and drains when told to end. */
async function main(): Promise<void> {
  const environment = readEnvironment();
  const config = loadConfig(environment);
  await assertKnownPack(config.MODEL_NAME, config.MODELS_DIR);
  await assertDeviceAvailable(config.DEVICE);
  const log = await createLogger({ level: config.LOG_LEVEL, name: config.APP_NAME });
  const keys = ApiKeys.load(config, log);
  const tracing = await startTracing({ environment, serviceName: config.APP_NAME, version: VERSION, log });

  const lifecycle: Lifecycle = { draining: false };
  const engine = new InferenceEngine(config, log);
  // The workers load while this thread reads the modules of HTTP, which takes it about as long as what it has read so far.
  engine.start();
  const ports = await openPorts({ config, engine, keys, tracing, lifecycle, log });
  drainOnSignal({ config, lifecycle, ports, log }, async () => {
    await Promise.all([engine.close(), tracing?.shutdown()]);
    await ports.close();
    keys.close();
  });
  // Said last: whoever reads it may send a signal at once.
  log.info({ host: config.HOST, port: ports.port, version: VERSION, workers: config.WORKERS }, 'listening');
  if (!keys.required) log.warn('No API keys are configured: whoever reaches the port may call.');
}

async function openPorts(options: PortsOptions & { engine: InferenceEngine }): Promise<Ports> {
  try {
    const ports = await import('./service.ts');
    return await ports.openPorts(options);
  } catch (error) {
    // The process is about to exit, which would terminate workers in the middle of their loading.
    await options.engine.close();
    throw error;
  }
}

interface Drain {
  config: Config;
  lifecycle: Lifecycle;
  ports: Ports;
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
function drainOnSignal({ config, lifecycle, ports, log }: Drain, close: () => Promise<void>): void {
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
    await ports.drain();
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
