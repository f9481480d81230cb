import { createApp } from './app.ts';
import { type Config, loadConfig, readEnvironment } from './config.ts';
import { assertDeviceAvailable } from './engine/device.ts';
import { InferenceEngine } from './engine/inference-engine.ts';
import { StartupError } from './errors.ts';
import { createLogger, type Logger } from './log.ts';
import { assertKnownPack } from './models/resolve.ts';
import { type ListeningServer, listen } from './server.ts';
import { VERSION } from './version.ts';

/** The process: reads the configuration, listens, loads, and drains when told to end. */
async function main(): Promise<void> {
  const config = loadConfig(readEnvironment());
  await assertKnownPack(config.MODEL_NAME, config.MODELS_DIR);
  await assertDeviceAvailable(config.DEVICE);
  const log = createLogger({ level: config.LOG_LEVEL, name: config.APP_NAME });
  const engine = new InferenceEngine(config, log);
  const server = await listen(createApp({ config, engine, log }), config);
  log.info({ host: config.HOST, port: server.port, version: VERSION, workers: config.WORKERS }, 'listening');
  drainOnSignal(config, engine, server, log);
  engine.start();
}

function drainOnSignal(config: Config, engine: InferenceEngine, server: ListeningServer, log: Logger): void {
  let draining = false;
  const onSignal = async (signal: NodeJS.Signals) => {
    // Exiting would terminate threads in mid-inference, which aborts with a core dump; killing is the honest form.
    const kill = () => process.kill(process.pid, 'SIGKILL');
    if (draining) {
      log.warn({ signal }, 'second signal, killing the process');
      kill();
      return;
    }
    draining = true;
    log.info({ signal }, 'draining');
    setTimeout(() => {
      log.error({ graceMs: config.SHUTDOWN_GRACE_MS }, 'work is still in flight, killing the process');
      kill();
    }, config.SHUTDOWN_GRACE_MS).unref();
    engine.drain();
    // First every request is answered, also those whose image is still on its way; then the workers end.
    await server.close();
    await engine.close();
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
