import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { CataloguePack } from '../catalogue.ts';
import { installFromArchive } from '../install/archive.ts';
import { withInstallLock } from '../install/install-lock.ts';
import { writing } from '../install/storage.ts';
import { PackDownloadError, PackInvalidError } from '../pack-errors.ts';
import { packFolder } from '../resolve.ts';
import { downloadArchive } from './archive-download.ts';
import { displayUrl, SourceError } from './http-source.ts';
import { PartialArchive } from './partial-archive.ts';
import { DOWNLOAD_TUNING, type DownloadTuning } from './tuning.ts';

/** A repacked archive may compress worse than the published one, or hold more; it is no other thing altogether. */
const ARCHIVE_SLACK = 2;
const ARCHIVE_SLACK_BYTES = 1024 * 1024;

/** What is told while a pack is being downloaded. */
export interface DownloadEvents {
  onSource?: (source: string) => void;
  onProgress?: (bytes: number, total: number | undefined) => void;
  /** One source failed and another is asked. */
  onFailure?: (reason: string) => void;
  /** Another process installs the same pack. */
  onWait?: (holder: string) => void;
}

export interface PackDownload {
  pack: CataloguePack;
  modelsDir: string;
  /** The only source where it is not empty: `<baseUrl>/<pack>.zip`. */
  baseUrl: string;
  /** Asked once this process is the only one that installs the pack: another may have done it meanwhile. */
  isInstalled: () => Promise<boolean>;
  events?: DownloadEvents;
  tuning?: DownloadTuning;
  signal?: AbortSignal | undefined;
}

/**
 * Downloads a pack of the catalogue and installs its two files, verified. Replicas that share `modelsDir` do it one at
 * a time; those that waited find the files there. What was downloaded of an archive is kept when it cannot be
 * finished, and used by the next attempt; everything else temporary is removed.
 *
 * @throws {PackDownloadError} when no source had the pack; the message says what was wrong with each.
 * @throws {PackStorageError} when the folder cannot be written.
 * @throws the signal's reason when it fires.
 */
export async function downloadPack(download: PackDownload): Promise<void> {
  const { pack, modelsDir, isInstalled, events = {}, tuning = DOWNLOAD_TUNING, signal } = download;
  const parent = resolve(modelsDir);
  await writing(parent, () => mkdir(parent, { recursive: true }));
  const lock = { ...tuning, ...(events.onWait && { onWait: events.onWait }), signal };
  await withInstallLock(join(parent, `.${pack.name}.lock`), lock, async (held) => {
    if (await isInstalled()) return;
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
  const partial = new PartialArchive(join(resolve(modelsDir), `.${pack.name}.zip.partial`));
  const published = pack.detector.bytes + pack.recogniser.bytes;
  const mostBytes = ARCHIVE_SLACK * Math.max(pack.archiveBytes, published) + ARCHIVE_SLACK_BYTES;
  const archive = { source, partial, mostBytes, onProgress: events?.onProgress, tuning, signal };
  for (;;) {
    const { pieced } = await downloadArchive(archive);
    try {
      await installFromArchive(pack, partial.path, packFolder({ name: pack.name, modelsDir }), signal);
      return;
    } catch (error) {
      // Pieces may not belong together, after a power failure for instance. In one piece it is tried once.
      if (!(error instanceof PackInvalidError) || !pieced) throw error;
    } finally {
      await partial.discard();
    }
  }
}

function sourcesOf({ pack, baseUrl }: PackDownload): URL[] {
  if (baseUrl === '') return pack.sources.map((source) => new URL(source));
  if (!URL.canParse(baseUrl)) throw new PackDownloadError('MODEL_BASE_URL is not a URL.');
  const mirror = new URL(baseUrl);
  // The query stays at the end: some object stores take their token there.
  mirror.pathname = `${mirror.pathname.replace(/\/$/, '')}/${pack.name}.zip`;
  return [mirror];
}
