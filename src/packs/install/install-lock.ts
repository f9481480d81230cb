import { randomUUID } from 'node:crypto';
import { type FileHandle, link, open, readFile, rename } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { PackStorageError } from '../pack-errors.ts';
import { discard, writing } from './storage.ts';

export interface LockTiming {
  /** Interval at which the holder updates the lock, in milliseconds. */
  heartbeatMs: number;
  /** A lock that was not updated for this long, in milliseconds, is taken over. */
  staleMs: number;
}

/** A lock is stale after seven missed updates: a busy disk or a slow network volume may delay one or two. */
export const LOCK_TIMING: LockTiming = { heartbeatMs: 2_000, staleMs: 15_000 };

export interface LockOptions extends LockTiming {
  signal?: AbortSignal | undefined;
  /** Called once when another process holds the lock. */
  onWait?: (holder: string) => void;
}

/**
 * Runs `action` while this process has the lock at this path, which also excludes processes on other machines that share
 * the volume. The lock of a process that was killed is taken over after `staleMs`.
 *
 * The lock avoids duplicate work and concurrent writes. Correctness of installed files does not depend on it, because
 * they are verified by their hashes.
 *
 * @param action gets a signal that is also aborted when the lock is lost, for instance after the process was suspended.
 * @throws {PackStorageError} when the lock cannot be written or is lost.
 */
export async function withInstallLock<T>(
  path: string,
  options: LockOptions,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const owner = `${hostname()}:${process.pid}:${randomUUID()}`;
  const handle = await acquire(path, owner, options);
  const lost = new AbortController();
  const heartbeat = setInterval(async () => {
    if ((await isOwner(path, owner)) === false) {
      lost.abort(new PackStorageError(`The lock ${path} was taken over by another process, or removed.`));
    } else {
      // If updates keep failing, another process takes the stale lock, which the next heartbeat detects.
      await handle.utimes(new Date(), new Date()).catch(() => {});
    }
  }, options.heartbeatMs);
  heartbeat.unref();
  try {
    return await action(options.signal ? AbortSignal.any([options.signal, lost.signal]) : lost.signal);
  } finally {
    clearInterval(heartbeat);
    await handle.close().catch(() => {});
    if ((await isOwner(path, owner)) !== false) await discard(path);
  }
}

async function acquire(path: string, owner: string, options: LockOptions): Promise<FileHandle> {
  const { signal, heartbeatMs, staleMs, onWait } = options;
  let last = { state: '', since: performance.now() };
  let waiting = false;
  let held = 0;
  for (;;) {
    signal?.throwIfAborted();
    const handle = await tryCreate(path, owner);
    if (handle) return handle;
    const state = (await stateOf(path)) ?? '';
    // Measured with the clock of this process, because those of machines that share a volume may differ.
    if (state !== last.state) last = { state, since: performance.now() };
    if (performance.now() - last.since > staleMs) {
      held = (await removeStale(path, state, owner)) ? 0 : held + 1;
      // Whoever takes a lock over needs no such time: it was killed while it did.
      if (held > 1) await discard(guardOf(path));
      last = { state: '', since: performance.now() };
    } else if (!waiting) {
      waiting = true;
      onWait?.(state.split(':').slice(0, 2).join(':'));
    }
    await sleep(heartbeatMs * (0.5 + Math.random() / 2), undefined, { signal });
  }
}

async function tryCreate(path: string, owner: string): Promise<FileHandle | undefined> {
  return writing(path, async () => {
    let handle: FileHandle;
    try {
      handle = await open(path, 'wx');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
      throw error;
    }
    try {
      await handle.writeFile(owner);
      return handle;
    } catch (error) {
      await handle.close();
      await discard(path);
      throw error;
    }
  });
}

/** Held by the process that removes a stale lock: of two that find the same one stale, the slower must not remove the new lock. */
const guardOf = (path: string) => `${path}.takeover`;

/**
 * Removes a lock that is still in its stale state. One that changed after it was looked at, because its owner went on, is put back.
 *
 * @returns false if another process is removing it.
 */
async function removeStale(path: string, staleState: string, owner: string): Promise<boolean> {
  const guard = await tryCreate(guardOf(path), owner);
  if (guard === undefined) return false;
  const taken = `${path}.${owner.split(':').at(-1)}`;
  try {
    if ((await stateOf(path)) !== staleState) return true;
    await rename(path, taken);
    if ((await stateOf(taken)) !== staleState) await link(taken, path);
  } catch {
    // The owner removed it, or the file system has no links: all try again.
  } finally {
    await discard(taken);
    await guard.close().catch(() => {});
    await discard(guardOf(path));
  }
  return true;
}

/** The owner and the last update. Opening the file makes network file systems ask the server. */
async function stateOf(path: string): Promise<string | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const { mtimeMs } = await handle.stat();
    return `${await handle.readFile('utf8')}:${mtimeMs}`;
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}

/** Undefined if the lock cannot be read, for instance because this process has too many open files. That is no loss. */
async function isOwner(path: string, owner: string): Promise<boolean | undefined> {
  return readFile(path, 'utf8').then(
    (content) => content === owner,
    ({ code }: NodeJS.ErrnoException) => (code === 'ENOENT' ? false : undefined),
  );
}
