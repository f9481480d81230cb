import { type FileHandle, open, rename, rm } from 'node:fs/promises';
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
