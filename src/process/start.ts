import { setImmediate } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { changedSettings } from '../config/effective.ts';
import { isDeviceAuto, readEnvironment } from '../config/load.ts';
import { findMisspelt } from '../config/misspelt.ts';
import { connectionLimit } from '../config/open-files.ts';
import { VERSION } from '../config/package.ts';
import type { Config } from '../config/settings.ts';
import { assertDeviceAvailable, findAutoDevice } from '../engine/device.ts';
import { InferenceEngine } from '../engine/inference-engine.ts';
import { addressesOf, assertAddressFree, localUrl } from '../http/address.ts';
import { ApiKeys } from '../http/auth/api-keys.ts';
import { assertProtected } from '../http/auth/protection.ts';
import type { Lifecycle } from '../http/context.ts';
import { createLogger, type Logger } from '../observability/log.ts';
import { LogOutput } from '../observability/log-output.ts';
import { startTracing } from '../observability/tracing.ts';
import {
  assertCommercialLiveness,
  assertCommercialUse,
  assertNoExcludedNetwork,
} from '../packs/commercial-use.ts';
import { assertLivenessReady } from '../packs/liveness/setup.ts';
import { assertKnownPack } from '../packs/pack-folders.ts';
import { assertKeyIsMeant } from '../protection/embedding-key.ts';
import type { Service, ServiceOptions } from '../service.ts';
import { Ending } from './ending.ts';
import { handleFatalErrors, logWarnings } from './fatal.ts';
import { loadFittingConfig } from './fit-memory.ts';
import { handleSignals } from './signals.ts';

/** Reads the configuration, loads and listens. */
export async function start(): Promise<void> {
  const environment = readEnvironment();
  const config = loadFittingConfig(
    environment,
    isDeviceAuto(environment) ? await findAutoDevice() : undefined,
  );
  connectionLimit(config);
  await assertKnownPack(config.MODEL_NAME, config.MODELS_DIR);
  if (config.REQUIRE_COMMERCIAL_WEIGHTS) {
    const pack = { name: config.MODEL_NAME, modelsDir: config.MODELS_DIR };
    assertCommercialUse(pack);
    await assertNoExcludedNetwork(pack);
    assertCommercialLiveness(config.LIVENESS_MODEL);
  }
  await assertLivenessReady(config);
  // One that was found works.
  if (config.autoDevice === undefined) await assertDeviceAvailable(config.DEVICE);
  for (const address of Object.values(addressesOf(config))) await assertAddressFree(address);
  const output = new LogOutput(1);
  process.on('exit', () => output.flush());
  const log = await createLogger({ level: config.LOG_LEVEL, name: config.APP_NAME, output });
  logWarnings(log);
  const keys = ApiKeys.load(config, log);
  const misspelt = findMisspelt(environment);
  assertProtected(config, keys, misspelt);
  assertKeyIsMeant(config, misspelt);
  for (const { variable, setting } of misspelt) {
    log.warn({ variable, setting }, `${variable} is no setting; ${setting} may be meant`);
  }
  log.info({ settings: changedSettings(config), apiKeys: keys.count }, 'settings other than the defaults');
  if (config.autoDevice) log.info(config.autoDevice, `DEVICE=auto is ${config.DEVICE}`);
  const tracing = await startTracing({ environment, serviceName: config.APP_NAME, version: VERSION, log });

  const lifecycle: Lifecycle = { draining: false };
  const engine = new InferenceEngine(config, log);
  // The workers load while this thread reads the modules of HTTP, which takes about as long as all that it has read so far.
  engine.start(() => ending.onFatalError());
  const listening = startHttp({ config, engine, keys, tracing, lifecycle, log, output });
  const close = async () => {
    await Promise.all([engine.close(), tracing?.shutdown()]);
    keys.close();
  };
  const hungThreads = () => engine.load.hung;
  const ending = new Ending({ config, lifecycle, log, output, listening, close, hungThreads });
  handleFatalErrors(log, () => ending.onFatalError());
  handleSignals({
    end: (signal) => ending.onSignal(signal),
    debug: () => log.warn('SIGUSR1 is ignored: it would open the inspector'),
  });
  const service = await listening;
  // Last, since a supervisor that reads it may send a signal at once.
  reportListening(config, service, log);
  if (!keys.required) log.warn('No API keys are configured: every caller who reaches the port is served.');
}

async function startHttp(options: ServiceOptions & { engine: InferenceEngine }): Promise<Service> {
  try {
    const { startService } = await import('../service.ts');
    // As in main.ts: a signal that came meanwhile ends the process before it listens.
    await setImmediate();
    return await startService(options);
  } catch (error) {
    // The process is about to exit, which would terminate workers while they load.
    await options.engine.close();
    throw error;
  }
}

function reportListening(config: Config, { port }: Service, log: Logger): void {
  const { HOST: host, API_PREFIX, MODEL_NAME, WORKERS: workers } = config;
  // A person at a terminal gets sentences, a log collector gets fields.
  if (!isatty(1)) {
    log.info({ host, port, version: VERSION, workers }, 'listening');
    return;
  }
  const url = localUrl({ host, port }, API_PREFIX);
  log.info(`Version ${VERSION} listens on ${url}, with ${workers} workers. API documentation: ${url}/docs`);
  log.info(`Loading the model pack ${MODEL_NAME}. ${url}/readyz answers 200 when it is loaded.`);
}
