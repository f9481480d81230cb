import { randomUUID } from 'node:crypto';
import { type FileHandle, link, open, readFile, rename } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { PackStorageError } from '../pack-errors.ts';
import { discard, writing } from './storage.ts';

export interface LockTiming {
  /** How often the holder shows that it lives, in milliseconds. */
  heartbeatMs: number;
  /** A lock that showed no life for this long, in milliseconds, is taken over. */
  staleMs: number;
}

/** Seven missed beats: a busy disk or a slow network volume delays one or two. */
export const LOCK_TIMING: LockTiming = { heartbeatMs: 2_000, staleMs: 15_000 };

export interface LockOptions extends LockTiming {
  signal?: AbortSignal | undefined;
  /** Called once when another process holds the lock. */
  onWait?: (holder: string) => void;
}

/**
 * Runs `action` while no other process does the same on this path, also one on another machine that shares the
 * volume. A process that was killed keeps nobody waiting for longer than `staleMs`.
 *
 * The lock spares work and keeps two writers apart; it is not what makes an installed file right. That is its hash.
 *
 * @param action gets a signal that also fires when the lock was lost, as after a suspension.
 * @throws {PackStorageError} when the lock cannot be written, or was lost.
 */
export async function withInstallLock<T>(
  path: string,
  options: LockOptions,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const owner = `${hostname()}:${process.pid}:${randomUUID()}`;
  const handle = await acquire(path, owner, options);
  const lost = new AbortController();
  const beat = setInterval(async () => {
    if ((await ownerOf(path)) !== owner) {
      lost.abort(
        new PackStorageError(`Another process took the lock ${path}; it goes on in this one's place.`),
      );
    } else {
      // Where a beat fails and keeps failing, others see the lock as stale, and the next beat sees that it is lost.
      await handle.utimes(new Date(), new Date()).catch(() => {});
    }
  }, options.heartbeatMs);
  beat.unref();
  try {
    return await action(options.signal ? AbortSignal.any([options.signal, lost.signal]) : lost.signal);
  } finally {
    clearInterval(beat);
    await handle.close().catch(() => {});
    if ((await ownerOf(path)) === owner) await discard(path);
  }
}

async function acquire(path: string, owner: string, options: LockOptions): Promise<FileHandle> {
  const { signal, heartbeatMs, staleMs, onWait } = options;
  let seen = { state: '', since: performance.now() };
  let waiting = false;
  for (;;) {
    signal?.throwIfAborted();
    const handle = await tryCreate(path, owner);
    if (handle) return handle;
    const state = (await stateOf(path)) ?? '';
    // Only this process's own clock is used: those of machines that share a volume may differ.
    if (state !== seen.state) seen = { state, since: performance.now() };
    if (performance.now() - seen.since > staleMs) {
      await removeStale(path, state, owner);
      seen = { state: '', since: performance.now() };
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

/** Two waiters may find the same lock stale: whoever grabs the other's new one by mistake gives it back. */
async function removeStale(path: string, staleState: string, owner: string): Promise<void> {
  const grabbed = `${path}.${owner.split(':').at(-1)}`;
  try {
    await rename(path, grabbed);
    if ((await stateOf(grabbed)) !== staleState) await link(grabbed, path);
  } catch {
    // Somebody else was faster, or the file system has no links: the lock is contended for again.
  } finally {
    await discard(grabbed);
  }
}

/** Who holds the lock, and when it last showed life. Opening the file makes network file systems ask the server. */
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

async function ownerOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
