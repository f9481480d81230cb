import { readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { withInstallLock } from '../../src/packs/install/install-lock.ts';
import { PackStorageError } from '../../src/packs/pack-errors.ts';
import { filesIn, temporaryFolder } from '../support/temporary-folder.ts';

const TIMING = { heartbeatMs: 20, staleMs: 200 };

/** A path for a lock in a new folder, and an action that shows how many ran at once. */
async function lockAndCounter() {
  const folder = await temporaryFolder();
  const counter = { running: 0, most: 0, done: 0 };
  const action = async () => {
    counter.running++;
    counter.most = Math.max(counter.most, counter.running);
    await sleep(15);
    counter.running--;
    counter.done++;
  };
  return { folder, path: join(folder, '.lock'), counter, action };
}

describe('the lock of an installation', () => {
  it('lets one in at a time, and nothing remains', async () => {
    const { folder, path, counter, action } = await lockAndCounter();
    await Promise.all(Array.from({ length: 8 }, () => withInstallLock(path, TIMING, action)));
    expect(counter).toEqual({ running: 0, most: 1, done: 8 });
    expect(await filesIn(folder)).toEqual([]);
  });

  it('is given back when the action fails', async () => {
    const { path, action } = await lockAndCounter();
    const failure = withInstallLock(path, TIMING, () => Promise.reject(new Error('disk on fire')));
    await expect(failure).rejects.toThrow('disk on fire');
    await withInstallLock(path, TIMING, action);
  });

  it('of a killed process is taken over by one of those that wait, whatever its clock said', async () => {
    const { folder, path, counter, action } = await lockAndCounter();
    await writeFile(path, 'host:1:killed');
    const inAnHour = Date.now() / 1000 + 3_600;
    await utimes(path, inAnHour, inAnHour);
    await Promise.all(Array.from({ length: 5 }, () => withInstallLock(path, TIMING, action)));
    expect(counter).toEqual({ running: 0, most: 1, done: 5 });
    expect(await filesIn(folder)).toEqual([]);
  });

  it('is waited for as long as its holder lives, and the wait is told once', async () => {
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

  it('is not waited for once the signal fires', async () => {
    const { path } = await lockAndCounter();
    await writeFile(path, 'host:1:other');
    const signal = AbortSignal.timeout(50);
    await expect(withInstallLock(path, { ...TIMING, signal }, async () => {})).rejects.toThrow();
    expect(await readFile(path, 'utf8')).toBe('host:1:other');
  });

  it('that another process took stops the action, and stays with the other', async () => {
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
