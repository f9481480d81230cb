import { type FileHandle, open, rename, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PackError, PackStorageError } from '../pack-errors.ts';

/** Sentences for operators by the code of a file system's error. */
const REASONS: Record<string, string> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
  EDQUOT: 'the quota is used up',
  ENOTDIR: 'a part of the path is not a folder',
  EEXIST: 'something that is not a folder is in the way',
  EISDIR: 'a folder is in the way',
  ENOENT: 'it was removed meanwhile',
  EMFILE: 'this process has too many open files',
  ENFILE: 'this machine has too many open files',
};

/**
 * Runs an action that writes to the disk, so that its failure is distinguishable from one of the network or an archive.
 *
 * @throws {PackStorageError} naming the path and the reason.
 */
export async function writing<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof PackError) throw error;
    const { code = 'unknown', message } = error as NodeJS.ErrnoException;
    throw new PackStorageError(`${path} cannot be written: ${REASONS[code] ?? message} (${code}).`);
  }
}

/**
 * Checks for space before bytes are downloaded that could not be kept. A file system that does not say how much is free, or a quota,
 * shows itself at the first write that fails.
 *
 * @param path of a file to write. Its folder exists.
 * @throws {PackStorageError}
 */
export async function assertFreeSpace(path: string, bytes: number): Promise<void> {
  const { blocks, bavail, bsize } = await statfs(dirname(path)).catch(() => ({
    blocks: 0,
    bavail: 0,
    bsize: 0,
  }));
  if (blocks === 0 || bavail * bsize >= bytes) return;
  const [needed, free] = [bytes, bavail * bsize].map((count) => `${(count / 1e6).toFixed(1)} MB`);
  throw new PackStorageError(
    `${path} cannot be written: no space is left for ${needed}, ${free} are free (ENOSPC).`,
  );
}

/** Deletes what a failed attempt left behind. Never throws, so that the caller can report the failure itself. */
export async function discard(...paths: string[]): Promise<void> {
  await Promise.all(paths.map((path) => rm(path, { recursive: true, force: true }).catch(() => {})));
}

/**
 * Renames a file, and makes the new name survive a power failure if the platform supports that.
 *
 * @throws {PackStorageError}
 */
export async function renameDurably(from: string, to: string, folder: string): Promise<void> {
  await writing(to, () => rename(from, to));
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } catch {
    // Windows and some network file systems cannot synchronise a folder.
  } finally {
    await handle?.close();
  }
}
