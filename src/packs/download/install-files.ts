import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { filesOf, installedBytes, type PublishedFile } from '../catalogue/published-pack.ts';
import { hashFile } from '../file-hash.ts';
import { partialPath } from '../install/leftovers.ts';
import { placeVerifiedFiles } from '../install/place-files.ts';
import { PackInvalidError } from '../pack-errors.ts';
import { packFolder } from '../pack-folders.ts';
import { downloadVerified } from './download-verified.ts';
import { PartialDownload } from './partial-download.ts';
import { type SourceContext, trySource } from './source-context.ts';
import { displayUrl } from './source-error.ts';

/**
 * Downloads the files of a pack one by one, each from the first of its URLs that has it, and installs them together. Files that
 * are complete are kept for the next attempt, too.
 *
 * @param urlsOf the URLs of a file.
 * @returns whether it succeeded. Failures were reported.
 */
export async function installFiles(
  context: SourceContext,
  urlsOf: (file: PublishedFile) => readonly URL[],
): Promise<boolean> {
  const { pack, modelsDir, events, signal } = context;
  const location = { name: pack.name, modelsDir };
  const total = installedBytes(pack);
  const downloads = filesOf(pack).map((file) => ({
    file,
    partial: new PartialDownload(partialPath(location, file)),
  }));
  let before = 0;
  for (const { file, partial } of downloads) {
    const onProgress = (bytes: number) => events.onProgress?.(before + bytes, total);
    if (!(await downloadFile(context, file, partial, urlsOf(file), onProgress))) return false;
    before += file.bytes;
  }
  const sources = downloads.map(({ file, partial }) => ({
    file,
    origin: file.name,
    open: async () => createReadStream(partial.path),
  }));
  await placeVerifiedFiles(packFolder(location), sources, signal);
  return true;
}

async function downloadFile(
  context: SourceContext,
  file: PublishedFile,
  partial: PartialDownload,
  urls: readonly URL[],
  onProgress: (bytes: number) => void,
): Promise<boolean> {
  const { tuning, signal } = context;
  const isWhole = (path: string) => stat(path).then(({ size }) => size === file.bytes);
  for (const source of urls) {
    const download = {
      source,
      partial,
      maxBytes: file.bytes,
      // The installed copies of all files.
      unpackedBytes: installedBytes(context.pack),
      what: 'the file',
      isWhole,
      onProgress,
      tuning,
      signal,
    };
    const verify = async () => {
      const { bytes, sha256 } = await hashFile(partial.path, signal);
      if (sha256 === file.sha256) return;
      throw new PackInvalidError(
        `${file.name} (${bytes} bytes) has the SHA-256 ${sha256}, expected is ${file.sha256}. It is not installed.`,
      );
    };
    if (await trySource(context, displayUrl(source), () => downloadVerified(download, verify))) return true;
  }
  return false;
}
