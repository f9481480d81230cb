import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Batcher } from '../../src/vision/recognise/batcher.ts';

/** @returns a batcher that doubles numbers and fails runs with a negative one, and the runs it has started. */
function createBatcher({ maxItems = 4, windowMs = 10, runMs = 0 } = {}) {
  const runs: number[][] = [];
  let running = 0;
  const batcher = new Batcher<number, number>({
    maxItems,
    windowMs,
    async run(items) {
      runs.push(items);
      expect(++running).toBe(1);
      if (runMs > 0) await new Promise((resolve) => setTimeout(resolve, runMs));
      running--;
      if (items.some((item) => item < 0)) throw new Error('a negative number');
      return items.map((item) => 2 * item);
    },
  });
  return { batcher, runs };
}

describe('the batcher', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('waits for further items until the window of the first one ends', async () => {
    const { batcher, runs } = createBatcher();
    const results = [batcher.add(1)];
    await vi.advanceTimersByTimeAsync(9);
    results.push(batcher.add(2));
    expect(runs).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(runs).toEqual([[1, 2]]);
    expect(await Promise.all(results)).toEqual([2, 4]);
  });

  it('starts a run as soon as a batch is full', async () => {
    const { batcher, runs } = createBatcher({ maxItems: 2 });
    const results = Promise.all([1, 2, 3].map((item) => batcher.add(item)));
    await vi.advanceTimersByTimeAsync(0);
    expect(runs).toEqual([[1, 2]]);
    await vi.advanceTimersByTimeAsync(10);
    expect(runs).toEqual([[1, 2], [3]]);
    expect(await results).toEqual([2, 4, 6]);
  });

  it('runs one batch at a time and gathers items meanwhile', async () => {
    const { batcher, runs } = createBatcher({ windowMs: 1, runMs: 50 });
    const results = [batcher.add(1)];
    await vi.advanceTimersByTimeAsync(1);
    for (const item of [2, 3, 4, 5, 6]) results.push(batcher.add(item));
    await vi.advanceTimersByTimeAsync(49);
    expect(runs).toEqual([[1]]);
    await vi.advanceTimersByTimeAsync(1);
    expect(runs).toEqual([[1], [2, 3, 4, 5]]);
    await vi.advanceTimersByTimeAsync(100);
    expect(runs).toEqual([[1], [2, 3, 4, 5], [6]]);
    expect(await Promise.all(results)).toEqual([2, 4, 6, 8, 10, 12]);
  });

  it('starts a run at once for an immediate item, together with all pending ones', async () => {
    const { batcher, runs } = createBatcher({ maxItems: 8 });
    const results = [batcher.add(1)];
    await vi.advanceTimersByTimeAsync(3);
    results.push(batcher.add(2, { immediate: true }), batcher.add(3, { immediate: true }));
    await vi.advanceTimersByTimeAsync(0);
    expect(runs).toEqual([[1, 2, 3]]);
    expect(await Promise.all(results)).toEqual([2, 4, 6]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('rejects the items of a failed run and no others', async () => {
    const { batcher } = createBatcher({ maxItems: 2 });
    const settled = Promise.allSettled([1, -2, 3, 4].map((item) => batcher.add(item)));
    await vi.advanceTimersByTimeAsync(10);
    const failed = { status: 'rejected', reason: new Error('a negative number') };
    expect(await settled).toEqual([
      failed,
      failed,
      { status: 'fulfilled', value: 6 },
      { status: 'fulfilled', value: 8 },
    ]);
  });

  it('rejects all items of a run whose results are not one for each item', async () => {
    const batcher = new Batcher<number, number>({ maxItems: 2, windowMs: 0, run: async () => [1] });
    const settled = await Promise.allSettled([batcher.add(1, { immediate: true }), batcher.add(2)]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
