import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from './server-process.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The service with two workers and its other settings at their defaults, as a process of its own. */
export async function startService({ pack, models, serviceEnvironment }, more = {}) {
  return launchService({
    PATH: process.env.PATH,
    WORKERS: '2',
    MODEL_NAME: pack,
    MODELS_DIR: resolve(models),
    MODEL_AUTO_DOWNLOAD: 'false',
    ...serviceEnvironment,
    ...more,
  });
}

/**
 * The built service as a process of its own, on a free port of this machine.
 *
 * @param environment settings, with MODELS_DIR as an absolute path.
 * @param options of ServerProcess.start.
 */
export async function launchService(environment, options = {}) {
  return ServerProcess.start({
    command: process.execPath,
    args: [MAIN],
    // A folder without a .env file.
    cwd: tmpdir(),
    environment: { HOST: '127.0.0.1', PORT: '0', SHUTDOWN_DELAY_MS: '0', ...environment },
    findAddress(output) {
      const port = /"port":(\d+)[^\n]*"msg":"listening"/.exec(output)?.[1];
      return port && `http://127.0.0.1:${port}`;
    },
    readyPath: '/readyz',
    ...options,
  });
}

/** Whether this version of the service can stop early: the request option `detection`. */
export async function knowsFastDetection(address) {
  const document = await (await fetch(`${address}/openapi.json`)).json();
  const { parameters = [] } = document.paths?.['/v1/embed']?.post ?? {};
  return parameters.some(({ name }) => name === 'detection');
}

/** Value of a metric without labels; NaN when there is none. */
export async function readMetrics(address) {
  const text = await (await fetch(`${address}/metrics`)).text();
  return (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}
