import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { builtFile } from '../../config/package.ts';
import type { Config } from '../../config/settings.ts';
import { errorMessage } from '../../errors.ts';
import { rewritesPayOff } from '../../onnx/rewrite/rewrite.ts';
import type { PackLog } from '../../packs/download/report-download.ts';
import { LOCK_TIMING, withInstallLock } from '../../packs/install/install-lock.ts';
import { discard, writing } from '../../packs/install/storage.ts';
import type { ModelFile, ModelPack } from '../../packs/pack.ts';
import type { PrepareJob } from './prepare-graph.ts';
import { type PreparedGraph, preparedName, readPrepared } from './prepared-graph.ts';

/** For one graph. The largest of the catalogue take seconds; a slow volume may take longer. */
const TIMEOUT_MS = 300_000;

export interface PreparedPack {
  detector: PreparedGraph;
  /** Of the detector's second network; only if it has one. */
  landmarks?: PreparedGraph | undefined;
  recogniser: PreparedGraph;
}

/** Undefined where networks are not prepared: on a GPU, which loads the files of the pack, and where it is switched off. */
export function preparedFolder({
  PREPARED_DIR,
  MODELS_DIR,
  DEVICE,
}: Pick<Config, 'PREPARED_DIR' | 'MODELS_DIR' | 'DEVICE'>): string | undefined {
  if (PREPARED_DIR === 'none' || DEVICE !== 'cpu') return undefined;
  return resolve(PREPARED_DIR || join(MODELS_DIR, '.prepared'));
}

export interface PreparedGraphsOptions {
  /** The folder of all prepared graphs. */
  folder: string;
  /** Whether graphs are rewritten where that pays off. */
  rewrites: boolean;
  log: PackLog;
  signal: AbortSignal;
}

/** The prepared graphs of a folder. Each is read and checked once. */
export class PreparedGraphs {
  readonly #options: PreparedGraphsOptions;
  readonly #found = new Map<string, Promise<PreparedGraph | undefined>>();

  constructor(options: PreparedGraphsOptions) {
    this.#options = { ...options, rewrites: options.rewrites && rewritesPayOff('cpu') };
  }

  /** Whether the file of a pack with this hash is there as a prepared graph. */
  async has(sha256: string): Promise<boolean> {
    return (await this.#find(sha256)) !== undefined;
  }

  /**
   * Finds the prepared graphs of a pack, and makes those that are missing or not whole.
   *
   * @returns undefined if they cannot be made, for instance because nothing can be written: the log says why, and the graphs
   *   have to be loaded from the pack.
   */
  async ofPack(pack: ModelPack): Promise<PreparedPack | undefined> {
    const { folder, log, signal } = this.#options;
    const found = await this.#findPack(pack);
    if (found) return found;
    try {
      await writing(folder, () => mkdir(folder, { recursive: true }));
      const onWait = (holder: string) =>
        log.info({ holder }, 'another process prepares networks; this one waits for it');
      const lock = { ...LOCK_TIMING, signal, onWait };
      await withInstallLock(join(folder, '.lock'), lock, (held) => this.#makeMissing(pack, held));
      const made = await this.#findPack(pack);
      if (!made) throw new Error('They are not whole after they were written.');
      return made;
    } catch (error) {
      signal.throwIfAborted();
      log.warn(
        {},
        `The networks could not be prepared: ${withFullStop(errorMessage(error))} Until they are, the service loads them from the ` +
          'pack, which takes more time and memory. PREPARED_DIR has to be a folder that can be written, or none.',
      );
      return undefined;
    }
  }

  #find(sha256: string): Promise<PreparedGraph | undefined> {
    const { folder, rewrites, signal } = this.#options;
    const found = this.#found.get(sha256) ?? readPrepared(folder, preparedName(sha256, rewrites), signal);
    this.#found.set(sha256, found);
    return found;
  }

  async #findPack(pack: ModelPack): Promise<PreparedPack | undefined> {
    const found: Partial<Record<PrepareJob['network'], PreparedGraph>> = {};
    for (const { network, file } of namedNetworksOf(pack)) {
      const graph = await this.#find(file.sha256);
      if (graph === undefined) return undefined;
      found[network] = graph;
    }
    const { recogniser, detector, landmarks } = found;
    return recogniser && detector && { recogniser, detector, landmarks };
  }

  /** Runs under the lock. */
  async #makeMissing(pack: ModelPack, signal: AbortSignal): Promise<void> {
    const { folder, rewrites, log } = this.#options;
    await discardLeftovers(folder);
    for (const { network, file } of namedNetworksOf(pack)) {
      const { path, sha256 } = file;
      // Another process may have made it meanwhile.
      this.#found.delete(sha256);
      if (await this.has(sha256)) continue;
      this.#found.delete(sha256);
      const name = preparedName(sha256, rewrites);
      const started = performance.now();
      const target = join(folder, `${TEMPORARY}${randomUUID()}`);
      try {
        await writing(target, () => mkdir(target));
        await runProcess({ file: { path, sha256 }, network, rewrites, name, target }, signal);
        // A folder that is not whole is in the way.
        await discard(join(folder, name));
        await writing(join(folder, name), () => rename(target, join(folder, name)));
      } finally {
        await discard(target);
      }
      const ms = Math.round(performance.now() - started);
      log.info({ network, ms }, 'a network was prepared for this processor');
    }
  }
}

/** The largest first. */
function namedNetworksOf({
  detector,
  recogniser,
}: ModelPack): { network: PrepareJob['network']; file: ModelFile }[] {
  return [
    { network: 'recogniser', file: recogniser },
    { network: 'detector', file: detector },
    ...(detector.landmarks ? [{ network: 'landmarks', file: detector.landmarks } as const] : []),
  ];
}

/** Begins the name of a folder that is being written. */
const TEMPORARY = '.making-';

/** Deletes what processes left behind that were killed. */
async function discardLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  await discard(...names.filter((name) => name.startsWith(TEMPORARY)).map((name) => join(folder, name)));
}

const withFullStop = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`);

async function runProcess(job: PrepareJob, signal: AbortSignal): Promise<void> {
  const entry = fileURLToPath(builtFile('vision/prepared/prepare-process.js'));
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    await promisify(execFile)(process.execPath, [entry, JSON.stringify(job)], {
      signal: AbortSignal.any([signal, timeout]),
      killSignal: 'SIGKILL',
    });
  } catch (error) {
    signal.throwIfAborted();
    const { stderr = '', signal: killed } = error as { stderr?: string; signal?: string | null };
    const said = stderr.trim().split('\n').at(-1);
    throw new Error(
      timeout.aborted
        ? `It took more than ${TIMEOUT_MS / 1000} seconds.`
        : killed
          ? `Their process was ended by ${killed}${killed === 'SIGKILL' ? ', perhaps for lack of memory' : ''}.`
          : said || errorMessage(error),
    );
  }
}
