import { installedBytes } from '../catalogue/published-pack.ts';
import { endsLikeArchive, installFromArchive } from '../install/archive.ts';
import { partialPath } from '../install/leftovers.ts';
import { packFolder } from '../pack-folders.ts';
import { downloadVerified } from './download-verified.ts';
import { PartialDownload } from './partial-download.ts';
import { type SourceContext, trySource } from './source-context.ts';
import { displayUrl } from './source-error.ts';

/** How much larger than the published archive one may be: a mirror's may be less compressed or contain more files. */
const MAX_SIZE_FACTOR = 2;
const MAX_EXTRA_BYTES = 1024 * 1024;

/**
 * Downloads the archive of a pack and installs its files.
 *
 * @param archive its URL, and the size of the published one.
 * @returns whether it succeeded. A failure was reported.
 */
export function installArchive(
  context: SourceContext,
  archive: { url: URL; bytes: number },
): Promise<boolean> {
  const { pack, modelsDir, events, tuning, signal } = context;
  const location = { name: pack.name, modelsDir };
  const partial = new PartialDownload(partialPath(location, 'zip'));
  const unpackedBytes = installedBytes(pack);
  const download = {
    source: archive.url,
    partial,
    maxBytes: MAX_SIZE_FACTOR * Math.max(archive.bytes, unpackedBytes) + MAX_EXTRA_BYTES,
    unpackedBytes,
    what: 'a zip archive',
    isWhole: endsLikeArchive,
    onProgress: events.onProgress,
    tuning,
    signal,
  };
  const install = () => installFromArchive(pack, partial.path, packFolder(location), signal);
  return trySource(context, displayUrl(archive.url), () => downloadVerified(download, install));
}
