import { describe, expect, it } from 'vitest';
import { Mutex } from '../../src/threads/mutex.ts';

describe('mutex', () => {
  it('are free at once, or come in the order in which they were asked for', async () => {
    const mutex = new Mutex();
    expect(mutex.lock()).toBeUndefined();
    const came: number[] = [];
    const waiting = [1, 2].map((number) => mutex.lock()?.then(() => came.push(number)));
    await Promise.resolve();
    expect(came).toEqual([]);
    mutex.unlock();
    await waiting[0];
    expect(came).toEqual([1]);
    mutex.unlock();
    await waiting[1];
    mutex.unlock();
    expect(mutex.lock()).toBeUndefined();
  });
});
