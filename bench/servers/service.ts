import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtFile } from '../../src/config/package.ts';
import { ServerProcess } from './server-process.ts';

export interface ServiceOptions {
  pack: string;
  /** The folder that contains the pack. */
  models: string;
  /** Settings of the service. */
  serviceEnvironment?: Record<string, string>;
  /** The folder of the prepared graphs. By default one that is kept between runs. */
  prepared?: string;
}

/** How a server is started. */
export interface StartConditions {
  /** Another folder of prepared graphs. Other servers than the service have none. */
  prepared?: string;
  /** As `sampleMs` of a server's command. */
  sampleMs?: number;
}

/** Starts the service with two workers and otherwise default settings, as a process of its own on a free port. */
export function startService(
  { pack, models, serviceEnvironment, ...options }: ServiceOptions,
  settings: Record<string, string> = {},
  conditions: StartConditions = {},
): Promise<ServerProcess> {
  const { prepared, sampleMs } = { ...options, ...conditions };
  return ServerProcess.start({
    command: process.execPath,
    args: [fileURLToPath(builtFile('main.cjs'))],
    // A folder without a .env file.
    cwd: tmpdir(),
    environment: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: '0',
      SHUTDOWN_DELAY_MS: '0',
      WORKERS: '2',
      // As in the image.
      MALLOC_ARENA_MAX: '2',
      MODEL_NAME: pack,
      MODELS_DIR: resolve(models),
      MODEL_AUTO_DOWNLOAD: 'false',
      PREPARED_DIR: prepared ?? join(tmpdir(), 'face-embedding-bench-prepared'),
      ...serviceEnvironment,
      ...settings,
    },
    findAddress(output) {
      const port = /"port":(\d+)[^\n]*"msg":"listening"/.exec(output)?.[1];
      return port && `http://127.0.0.1:${port}`;
    },
    readyPath: '/readyz',
    sampleMs,
  });
}

/** Reads the service's metrics. @returns name of a metric without labels → value; NaN for an unknown name. */
export async function readMetrics(address: string): Promise<(name: string) => number> {
  const text = await (await fetch(`${address}/metrics`)).text();
  return (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}
