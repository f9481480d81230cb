import { describe, expect, it } from 'vitest';
import { mapInOrder } from '../../src/engine/map-in-order.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('work on a few items at one time', () => {
  it('gives results in the order of the items, and never does more at once', async () => {
    let running = 0;
    let most = 0;
    const results = await mapInOrder([30, 5, 20, 1, 10], 2, async (ms) => {
      most = Math.max(most, ++running);
      await pause(ms);
      running--;
      return ms * 2;
    });
    expect(results).toEqual([60, 10, 40, 2, 20]);
    expect(most).toBe(2);
  });

  it('does nothing with nothing', async () => {
    expect(await mapInOrder([], 3, () => Promise.reject(new Error()))).toEqual([]);
  });

  it('fails with the earliest item that failed, begins no other, and waits for those that had begun', async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const outcome = mapInOrder([0, 1, 2, 3, 4], 3, async (item) => {
      begun.push(item);
      await pause([40, 20, 1, 1, 1][item] as number);
      ended.push(item);
      if (item > 0) throw new Error(`item ${item}`);
    });
    await expect(outcome).rejects.toThrow('item 1');
    expect(begun).toEqual([0, 1, 2]);
    expect(ended).toEqual([2, 1, 0]);
  });
});
