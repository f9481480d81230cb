import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { builtFile } from '../../config/package.ts';
import { errorMessage } from '../../errors.ts';
import type { Logger } from '../../observability/log.ts';
import { rewritesPayOff } from '../../onnx/rewrite/rewrite.ts';
import { LOCK_TIMING, withInstallLock } from '../../packs/install/install-lock.ts';
import { discard, writing } from '../../packs/install/storage.ts';
import type { ModelPack } from '../../packs/pack.ts';
import type { PrepareJob } from './prepare-graph.ts';
import { type PreparedGraph, preparedName, readPrepared } from './prepared-graph.ts';

/** For one graph. The largest of the catalogue take seconds; a slow volume may take longer. */
const TIMEOUT_MS = 300_000;

const NETWORKS = ['recogniser', 'detector'] as const;

export interface PreparedPack {
  detector: PreparedGraph;
  recogniser: PreparedGraph;
}

export interface PreparedPackOptions {
  pack: ModelPack;
  /** The folder of all prepared graphs. */
  folder: string;
  /** Whether graphs are rewritten where that pays off. */
  rewrites: boolean;
  log: Logger;
  signal: AbortSignal;
}

/**
 * Finds the prepared graphs of a pack, and makes those that are missing or not whole.
 *
 * @returns undefined if they cannot be made, for instance because nothing can be written: the log says why, and the graphs have to
 *   be loaded from the pack.
 */
export async function preparePack(given: PreparedPackOptions): Promise<PreparedPack | undefined> {
  const options = { ...given, rewrites: given.rewrites && rewritesPayOff('cpu') };
  const { folder, log, signal } = options;
  const found = await readPack(options);
  if (found) return found;
  try {
    await writing(folder, () => mkdir(folder, { recursive: true }));
    await withInstallLock(join(folder, '.lock'), { ...LOCK_TIMING, signal }, (held) =>
      makeMissing({ ...options, signal: held }),
    );
    const made = await readPack(options);
    if (!made) throw new Error('They are not whole after they were written.');
    return made;
  } catch (error) {
    signal.throwIfAborted();
    log.warn(
      `The networks are loaded from the pack, which takes more time and memory. Prepared ones could not be made: ` +
        `${errorMessage(error)} Set PREPARED_DIR to a folder that can be written, or to none.`,
    );
    return undefined;
  }
}

async function readPack({
  pack,
  folder,
  rewrites,
  signal,
}: PreparedPackOptions): Promise<PreparedPack | undefined> {
  const read = (network: (typeof NETWORKS)[number]) =>
    readPrepared(folder, preparedName(pack[network], rewrites), signal);
  const [recogniser, detector] = await Promise.all(NETWORKS.map(read));
  return recogniser && detector ? { recogniser, detector } : undefined;
}

/** Runs under the lock. */
async function makeMissing({ pack, folder, rewrites, log, signal }: PreparedPackOptions): Promise<void> {
  await discardLeftovers(folder);
  for (const network of NETWORKS) {
    const file = pack[network];
    const name = preparedName(file, rewrites);
    // Another process may have made it meanwhile.
    if (await readPrepared(folder, name, signal)) continue;
    const started = performance.now();
    const target = join(folder, `${TEMPORARY}${randomUUID()}`);
    try {
      await writing(target, () => mkdir(target));
      await runProcess({ file, network, rewrites, name, target }, signal);
      // A folder that is not whole is in the way.
      await discard(join(folder, name));
      await writing(join(folder, name), () => rename(target, join(folder, name)));
    } finally {
      await discard(target);
    }
    log.info(
      { network, ms: Math.round(performance.now() - started) },
      'a network was prepared for this processor',
    );
  }
}

/** Begins the name of a folder that is being written. */
const TEMPORARY = '.making-';

/** Deletes what processes left behind that were killed. */
async function discardLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  await discard(...names.filter((name) => name.startsWith(TEMPORARY)).map((name) => join(folder, name)));
}

async function runProcess(job: PrepareJob, signal: AbortSignal): Promise<void> {
  const entry = fileURLToPath(builtFile('vision/prepared/prepare-process.js'));
  await promisify(execFile)(process.execPath, [entry, JSON.stringify(job)], {
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    killSignal: 'SIGKILL',
  });
}
