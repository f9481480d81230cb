import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '../../errors.ts';
import type { PublishedFile } from '../catalogue.ts';
import { PackError, PackInvalidError } from '../pack-errors.ts';
import { temporaryName } from './leftovers.ts';
import { assertFreeSpace, discard, renameDurably, writing } from './storage.ts';

/** The content of a file to install: a member of an archive, or a file in another folder. */
export interface FileSource {
  file: PublishedFile;
  /** For the error, such as "det_500m.onnx of buffalo_sc.zip". */
  origin: string;
  open: () => Promise<AsyncIterable<Uint8Array>>;
}

/**
 * Writes the files of a published pack into its folder. They get their final names after all have been written,
 * synchronised and verified, so that no other process reads a wrong or incomplete file.
 *
 * @throws {PackInvalidError} when a hash is not that of the published file.
 * @throws {PackStorageError} when the folder cannot be written.
 */
export async function placeVerifiedFiles(
  folder: string,
  sources: FileSource[],
  signal?: AbortSignal,
): Promise<void> {
  await writing(folder, () => mkdir(folder, { recursive: true }));
  const moves = sources.map((source) => ({
    source,
    temporary: join(folder, temporaryName('installing', source.file.name)),
    final: join(folder, source.file.name),
  }));
  const bytes = sources.reduce((sum, { file }) => sum + file.bytes, 0);
  await assertFreeSpace(join(folder, sources[0]?.file.name ?? ''), bytes);
  try {
    for (const { source, temporary } of moves) await writeVerified(source, temporary, signal);
    signal?.throwIfAborted();
    for (const { temporary, final } of moves) await renameDurably(temporary, final, folder);
  } catch (error) {
    await discard(...moves.map(({ temporary }) => temporary));
    throw error;
  }
}

async function writeVerified(source: FileSource, path: string, signal?: AbortSignal): Promise<void> {
  const { file, origin } = source;
  const hash = createHash('sha256');
  let bytes = 0;
  const handle = await writing(path, () => open(path, 'wx'));
  try {
    for await (const chunk of await source.open()) {
      signal?.throwIfAborted();
      hash.update(chunk);
      bytes += chunk.length;
      // A larger file is hashed to its end for the error message, but not written beyond the expected size.
      if (bytes <= file.bytes) await writing(path, () => handle.appendFile(chunk));
    }
    const sha256 = hash.digest('hex');
    if (sha256 !== file.sha256) {
      throw new PackInvalidError(
        `${origin} (${bytes} bytes) has the SHA-256 ${sha256}, expected is ${file.sha256}. It is not installed.`,
      );
    }
    await writing(path, () => handle.sync());
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof PackError) throw error;
    throw new PackInvalidError(`${origin} cannot be read (${errorMessage(error)}).`);
  } finally {
    await handle.close();
  }
}
