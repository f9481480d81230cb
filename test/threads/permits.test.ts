import { describe, expect, it } from 'vitest';
import { Permits } from '../../src/threads/permits.ts';

describe('permits', () => {
  it('are granted until none is left', () => {
    const permits = new Permits(3);
    expect(permits.tryTake(2)).toBeDefined();
    expect(permits.tryTake(2)).toBeUndefined();
    expect(permits.tryTake(1)).toBeDefined();
    expect(permits.taken).toBe(3);
  });

  it('are returned once, however often the function is called', () => {
    const permits = new Permits(2);
    const giveBack = permits.tryTake(1);
    giveBack?.();
    giveBack?.();
    expect(permits.taken).toBe(0);
    expect(permits.tryTake(2)).toBeDefined();
  });
});
