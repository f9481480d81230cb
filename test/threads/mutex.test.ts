import { expect, it } from 'vitest';
import { Mutex } from '../../src/threads/mutex.ts';

it('a mutex is locked at once when free, and otherwise in the order of the calls', async () => {
  const mutex = new Mutex();
  expect(mutex.lock()).toBeUndefined();
  const locked: number[] = [];
  const waiting = [1, 2].map((number) => mutex.lock()?.then(() => locked.push(number)));
  await Promise.resolve();
  expect(locked).toEqual([]);
  mutex.unlock();
  await waiting[0];
  expect(locked).toEqual([1]);
  mutex.unlock();
  await waiting[1];
  mutex.unlock();
  expect(mutex.lock()).toBeUndefined();
});
