import { readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { withInstallLock } from '../../src/packs/install/install-lock.ts';
import { PackStorageError } from '../../src/packs/pack-errors.ts';
import { filesIn, temporaryFolder } from '../support/temporary-folder.ts';

const TIMING = { heartbeatMs: 20, staleMs: 500 };

/** A path for a lock in a new folder, and an action that counts how often it runs concurrently. */
async function lockAndCounter() {
  const folder = await temporaryFolder();
  const counter = { running: 0, maxRunning: 0, done: 0 };
  const action = async () => {
    counter.running++;
    counter.maxRunning = Math.max(counter.maxRunning, counter.running);
    await sleep(15);
    counter.running--;
    counter.done++;
  };
  return { folder, path: join(folder, '.lock'), counter, action };
}

describe('withInstallLock', () => {
  it('runs one action at a time, and deletes the lock', async () => {
    const { folder, path, counter, action } = await lockAndCounter();
    await Promise.all(Array.from({ length: 8 }, () => withInstallLock(path, TIMING, action)));
    expect(counter).toEqual({ running: 0, maxRunning: 1, done: 8 });
    expect(await filesIn(folder)).toEqual([]);
  });

  it('releases the lock if the action fails', async () => {
    const { path, action } = await lockAndCounter();
    const failure = withInstallLock(path, TIMING, () => Promise.reject(new Error('disk on fire')));
    await expect(failure).rejects.toThrow('disk on fire');
    await withInstallLock(path, TIMING, action);
  });

  it('takes over the lock of a killed process, even if its clock was wrong', async () => {
    const { folder, path, counter, action } = await lockAndCounter();
    await writeFile(path, 'host:1:killed');
    const inAnHour = Date.now() / 1000 + 3_600;
    await utimes(path, inAnHour, inAnHour);
    await Promise.all(Array.from({ length: 5 }, () => withInstallLock(path, TIMING, action)));
    expect(counter).toEqual({ running: 0, maxRunning: 1, done: 5 });
    expect(await filesIn(folder)).toEqual([]);
  });

  it('takes it over as well when a process was killed while it did', async () => {
    const { folder, path, counter, action } = await lockAndCounter();
    await writeFile(path, 'host:1:killed');
    await writeFile(`${path}.takeover`, 'host:2:killed');
    await Promise.all(Array.from({ length: 3 }, () => withInstallLock(path, TIMING, action)));
    expect(counter).toEqual({ running: 0, maxRunning: 1, done: 3 });
    expect(await filesIn(folder)).toEqual([]);
  });

  it('waits while the holder is alive, and calls onWait once', async () => {
    const { path } = await lockAndCounter();
    const order: string[] = [];
    const holders: string[] = [];
    const first = withInstallLock(path, TIMING, async () => {
      await sleep(3 * TIMING.staleMs);
      order.push('first');
    });
    await sleep(30);
    const onWait = (holder: string) => holders.push(holder);
    await withInstallLock(path, { ...TIMING, onWait }, async () => {
      order.push('second');
    });
    await first;
    expect(order).toEqual(['first', 'second']);
    expect(holders).toEqual([expect.stringMatching(new RegExp(`^.+:${process.pid}$`))]);
  });

  it('stops waiting when the signal is aborted', async () => {
    const { path } = await lockAndCounter();
    await writeFile(path, 'host:1:other');
    const signal = AbortSignal.timeout(50);
    await expect(withInstallLock(path, { ...TIMING, signal }, async () => {})).rejects.toThrow();
    expect(await readFile(path, 'utf8')).toBe('host:1:other');
  });

  it('aborts the action if another process takes the lock, which it then keeps', async () => {
    const { path } = await lockAndCounter();
    const failure = withInstallLock(path, TIMING, async (signal) => {
      await rm(path);
      await writeFile(path, 'host:1:other');
      await sleep(5_000, undefined, { signal }).catch(() => signal.throwIfAborted());
    });
    await expect(failure).rejects.toThrow(PackStorageError);
    expect(await readFile(path, 'utf8')).toBe('host:1:other');
  });
});
