import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { downloadBytes, type PackSource } from '../catalogue/published-pack.ts';
import type { CataloguePack } from '../catalogue.ts';
import { withInstallLock } from '../install/install-lock.ts';
import { removeLeftovers, removePartials } from '../install/leftovers.ts';
import { writing } from '../install/storage.ts';
import { PackDownloadError } from '../pack-errors.ts';
import { installArchive } from './install-archive.ts';
import { installFiles } from './install-files.ts';
import { installPackage } from './npm/install-package.ts';
import type { DownloadEvents, SourceContext } from './source-context.ts';
import { DOWNLOAD_TUNING, type DownloadTuning } from './tuning.ts';

export interface PackDownload {
  pack: CataloguePack;
  modelsDir: string;
  /** If not empty, the only source is `<baseUrl>/<pack>.zip`, or `<baseUrl>/<pack>/<file>` for a pack that is not an archive. */
  baseUrl: string;
  /** Called when this process has the lock, because another process may have installed the pack before. */
  isInstalled: () => Promise<boolean>;
  events?: DownloadEvents;
  tuning?: DownloadTuning;
  signal?: AbortSignal | undefined;
}

/**
 * Downloads a pack of the catalogue, verifies its files and installs them. Processes that share `modelsDir` take turns,
 * and find the files installed by the first. If a download cannot be completed, the received bytes are kept for the next
 * attempt. Other temporary files are removed.
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
    const failures: string[] = [];
    const onFailure = (reason: string) => {
      failures.push(reason);
      events.onFailure?.(reason);
    };
    const context = { pack, modelsDir, events, tuning, signal: held, onFailure };
    if ((await isInstalled()) || (await installFromAny(context, download))) {
      await removePartials({ name: pack.name, modelsDir });
      return;
    }
    throw new PackDownloadError(`The pack ${pack.name} could not be downloaded. ${failures.join(' ')}`);
  });
}

async function installFromAny(context: SourceContext, { pack, baseUrl }: PackDownload): Promise<boolean> {
  if (baseUrl !== '') return installFromMirror(context, baseUrl);
  for (const source of pack.sources) if (await installFrom(context, source)) return true;
  return false;
}

async function installFrom(context: SourceContext, source: PackSource): Promise<boolean> {
  switch (source.kind) {
    case 'archive':
      return installArchive(context, { url: new URL(source.url), bytes: source.bytes });
    case 'files':
      return installFiles(context, ({ name }) => (source.urls[name] ?? []).map((url) => new URL(url)));
    case 'npm':
      return installPackage(context, source);
  }
}

async function installFromMirror(context: SourceContext, baseUrl: string): Promise<boolean> {
  if (!URL.canParse(baseUrl)) throw new PackDownloadError('MODEL_BASE_URL is not a URL.');
  const { pack } = context;
  const at = (path: string) => {
    const url = new URL(baseUrl);
    // The query is kept, because some object stores expect a token there.
    url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
    return url;
  };
  return pack.sources[0]?.kind === 'archive'
    ? installArchive(context, { url: at(`${pack.name}.zip`), bytes: downloadBytes(pack) })
    : installFiles(context, ({ name }) => [at(`${pack.name}/${name}`)]);
}
