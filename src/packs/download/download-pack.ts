import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { CataloguePack } from '../catalogue.ts';
import { installFromArchive } from '../install/archive.ts';
import { withInstallLock } from '../install/install-lock.ts';
import { partialPath, removeLeftovers } from '../install/leftovers.ts';
import { writing } from '../install/storage.ts';
import { PackDownloadError, PackInvalidError } from '../pack-errors.ts';
import { packFolder } from '../pack-folders.ts';
import { downloadArchive } from './archive-download.ts';
import { PartialArchive } from './partial-archive.ts';
import { displayUrl, SourceError } from './source-error.ts';
import { DOWNLOAD_TUNING, type DownloadTuning } from './tuning.ts';

/** How much larger than the published archive one may be: a mirror's may be less compressed or contain more files. */
const MAX_SIZE_FACTOR = 2;
const MAX_EXTRA_BYTES = 1024 * 1024;

export interface DownloadEvents {
  /** A download from this source begins. */
  onSource?: (source: string) => void;
  onProgress?: (bytes: number, total: number | undefined) => void;
  /** A source failed. */
  onFailure?: (reason: string) => void;
  /** Another process, the holder of the lock, is installing the same pack. */
  onWait?: (holder: string) => void;
}

export interface PackDownload {
  pack: CataloguePack;
  modelsDir: string;
  /** If not empty, the only source is `<baseUrl>/<pack>.zip`. */
  baseUrl: string;
  /** Called when this process has the lock, because another process may have installed the pack before. */
  isInstalled: () => Promise<boolean>;
  events?: DownloadEvents;
  tuning?: DownloadTuning;
  signal?: AbortSignal | undefined;
}

/**
 * Downloads a pack of the catalogue, verifies its two files and installs them. Processes that share `modelsDir` take
 * turns, and find the files installed by the first. If an archive cannot be completed, the received bytes are kept for
 * the next attempt. Other temporary files are removed.
 *
 * @throws {PackDownloadError} when all sources failed. The message says why for each.
 * @throws {PackStorageError} when the folder cannot be written.
 * @throws the signal's reason when it is aborted.
 */
export async function downloadPack(download: PackDownload): Promise<void> {
  const { pack, modelsDir, isInstalled, events = {}, tuning = DOWNLOAD_TUNING, signal } = download;
  const parent = resolve(modelsDir);
  await writing(parent, () => mkdir(parent, { recursive: true }));
  const lock = { ...tuning, ...(events.onWait && { onWait: events.onWait }), signal };
  await withInstallLock(join(parent, `.${pack.name}.lock`), lock, async (held) => {
    await removeLeftovers({ name: pack.name, modelsDir });
    if (await isInstalled()) {
      await new PartialArchive(partialPath({ name: pack.name, modelsDir })).discard();
      return;
    }
    const failures: string[] = [];
    for (const source of sourcesOf(download)) {
      events.onSource?.(displayUrl(source));
      try {
        await installFromSource({ ...download, tuning, signal: held }, source);
        return;
      } catch (error) {
        held.throwIfAborted();
        if (!(error instanceof SourceError || error instanceof PackInvalidError)) throw error;
        failures.push(
          error instanceof SourceError ? error.message : `${displayUrl(source)}: ${error.message}`,
        );
        events.onFailure?.(failures.at(-1) ?? '');
      }
    }
    throw new PackDownloadError(`The pack ${pack.name} could not be downloaded. ${failures.join(' ')}`);
  });
}

async function installFromSource(
  { pack, modelsDir, events, tuning = DOWNLOAD_TUNING, signal }: PackDownload,
  source: URL,
): Promise<void> {
  const location = { name: pack.name, modelsDir };
  const partial = new PartialArchive(partialPath(location));
  const unpackedBytes = pack.detector.bytes + pack.recogniser.bytes;
  const maxBytes = MAX_SIZE_FACTOR * Math.max(pack.archiveBytes, unpackedBytes) + MAX_EXTRA_BYTES;
  const onProgress = events?.onProgress;
  const archive = { source, partial, maxBytes, unpackedBytes, onProgress, tuning, signal };
  for (;;) {
    const { pieced } = await downloadArchive(archive);
    try {
      await installFromArchive(pack, partial.path, packFolder(location), signal);
    } catch (error) {
      // The archive is complete: the next start installs it, or the process that took over the lock.
      signal?.throwIfAborted();
      await partial.discard();
      // An archive from several responses may be inconsistent, after a power failure for instance: start over.
      if (!(error instanceof PackInvalidError) || !pieced) throw error;
      continue;
    }
    await partial.discard();
    return;
  }
}

function sourcesOf({ pack, baseUrl }: PackDownload): URL[] {
  if (baseUrl === '') return pack.sources.map((source) => new URL(source));
  if (!URL.canParse(baseUrl)) throw new PackDownloadError('MODEL_BASE_URL is not a URL.');
  const mirror = new URL(baseUrl);
  // The query is kept, because some object stores expect a token there.
  mirror.pathname = `${mirror.pathname.replace(/\/$/, '')}/${pack.name}.zip`;
  return [mirror];
}
