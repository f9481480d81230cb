import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/threads/mutex.ts';

describe('turns', () => {
  it('are free at once, or come in the order in which they were asked for', async () => {
    const turns = new Turns();
    expect(turns.take()).toBeUndefined();
    const came: number[] = [];
    const waiting = [1, 2].map((number) => turns.take()?.then(() => came.push(number)));
    await Promise.resolve();
    expect(came).toEqual([]);
    turns.pass();
    await waiting[0];
    expect(came).toEqual([1]);
    turns.pass();
    await waiting[1];
    turns.pass();
    expect(turns.take()).toBeUndefined();
  });
});
