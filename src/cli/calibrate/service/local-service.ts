import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadConfig, readEnvironment } from '../../../config/load.ts';
import { builtFile } from '../../../config/package.ts';
import { errorMessage } from '../../../errors.ts';
import { preparedFolder } from '../../../vision/prepared/prepared-pack.ts';
import { CalibrationError } from '../calibration-error.ts';

/** The first start may download hundreds of megabytes. */
const START_TIMEOUT_MS = 15 * 60_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 20;
const TAIL_LENGTH = 4_000;
/** Of pino. */
const ERROR_LEVEL = 50;

/** Settings that would keep this command from finding the service, or from calling it. */
const NOT_PASSED_ON =
  /^(API_KEYS|API_KEYS_FILE|API_PREFIX|HOST|PORT|LIVENESS|METRICS_\w+|CORS_\w+|APP_NAME|LOG_LEVEL|OTEL_\w+)$/;

export interface RunningService {
  address: string;
  stop(): Promise<void>;
}

/**
 * Starts the service as a process of its own, on a free port of the loopback interface, with the settings of this
 * environment and of the `.env` file.
 *
 * @throws {CalibrationError} if it does not become ready, with the reason that it gives.
 */
export async function startLocalService(signal: AbortSignal): Promise<RunningService> {
  const settings = Object.fromEntries(
    Object.entries(readEnvironment()).filter(([name]) => !NOT_PASSED_ON.test(name)),
  );
  try {
    const config = loadConfig(settings);
    const MODELS_DIR = resolve(config.MODELS_DIR);
    const PREPARED_DIR = preparedFolder(config) ?? 'none';
    const EMBEDDING_KEY_FILE = config.EMBEDDING_KEY_FILE && resolve(config.EMBEDDING_KEY_FILE);
    const paths = { MODELS_DIR, PREPARED_DIR, EMBEDDING_KEY_FILE };
    return await launch(
      { ...settings, ...paths, HOST: '127.0.0.1', PORT: '0', SHUTDOWN_DELAY_MS: '0' },
      signal,
    );
  } catch (error) {
    signal.throwIfAborted();
    throw new CalibrationError(`The service could not be started. ${errorMessage(error)}`);
  }
}

async function launch(environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<RunningService> {
  const child = spawn(process.execPath, [fileURLToPath(builtFile('main.js'))], {
    // A folder without a .env file.
    cwd: tmpdir(),
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const output = new ServiceOutput(child);
  try {
    const address = await untilReady(child, output, signal);
    const stop = async () => {
      await end(child);
      process.off('exit', killAtExit);
    };
    return { address, stop };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** @returns the address of the service. */
async function untilReady(child: ChildProcess, output: ServiceOutput, signal: AbortSignal): Promise<string> {
  const deadline = AbortSignal.timeout(START_TIMEOUT_MS);
  for (;;) {
    signal.throwIfAborted();
    if (hasEnded(child)) throw new Error(`It ended. ${output.tail}`);
    if (deadline.aborted) throw new Error(`It did not become ready. ${output.tail}`);
    const { address } = output;
    const { status, detail } = address === undefined ? {} : await readinessOf(address, signal);
    if (address !== undefined && status === 'ready') return address;
    // The service itself would retry forever. Its log says more than its answer.
    if (status === 'unhealthy') throw new Error(output.lastError ?? detail);
    await sleep(POLL_MS);
  }
}

/** Empty if the service does not answer. */
async function readinessOf(
  address: string,
  signal: AbortSignal,
): Promise<{ status?: string; detail?: string }> {
  try {
    const response = await fetch(`${address}/readyz`, { signal });
    return (await response.json()) as { status: string };
  } catch {
    return {};
  }
}

/** Reads the log of the service: JSON lines of pino on standard output, text on standard error. */
class ServiceOutput {
  address: string | undefined;
  lastError: string | undefined;
  /** The last lines, for error messages. */
  tail = '';

  constructor({ stdout, stderr }: ChildProcess) {
    for (const stream of [stdout, stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#read(line));
    }
  }

  #read(line: string): void {
    this.tail = `${this.tail}${line}\n`.slice(-TAIL_LENGTH);
    const { msg, port, level = 0 } = parseLogLine(line);
    if (msg === 'listening') this.address = `http://127.0.0.1:${port}`;
    if (level >= ERROR_LEVEL) this.lastError = msg;
  }
}

function parseLogLine(line: string): { msg?: string; port?: number; level?: number } {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;
