import { describe, expect, it } from 'vitest';
import { FairPermits } from '../../src/threads/fair-permits.ts';

/** Takes single permits until one is refused. */
function takeAll(permits: FairPermits, holder: string): (() => void)[] {
  const releases: (() => void)[] = [];
  for (;;) {
    const release = permits.tryTake(1, holder);
    if (release === undefined) return releases;
    releases.push(release);
  }
}

describe('permits that are shared', () => {
  it('are all for a holder alone, and are given back once', () => {
    const permits = new FairPermits({ capacity: 10, reserve: 5 });
    const releases = takeAll(permits, 'a');
    expect([releases.length, permits.taken, permits.capacity]).toEqual([10, 10, 10]);
    for (const release of [...releases, ...releases]) release();
    expect(permits.taken).toBe(0);
    expect(permits.tryTake(10, 'b')).toBeDefined();
  });

  it('are never refused to one that has less than its share while another has them all', () => {
    const permits = new FairPermits({ capacity: 10, reserve: 5 });
    takeAll(permits, 'noisy');
    expect(takeAll(permits, 'quiet')).toHaveLength(5);
    expect(permits.tryTake(1, 'noisy')).toBeUndefined();
  });

  it('come to an equal share for each when all want more', () => {
    const permits = new FairPermits({ capacity: 12, reserve: 6 });
    const held = new Map(['a', 'b', 'c'].map((holder) => [holder, takeAll(permits, holder)]));
    for (let round = 0; round < 200; round++) {
      // The oldest is done, whoever has it; a asks three times as often.
      const [longest] = [...held.values()].sort((x, y) => y.length - x.length);
      longest?.shift()?.();
      for (const holder of ['a', 'a', 'a', 'b', 'c']) {
        const release = permits.tryTake(1, holder);
        if (release) held.get(holder)?.push(release);
      }
    }
    expect([...held.values()].map(({ length }) => length)).toEqual([4, 4, 4]);
  });

  it('leave what others do not want to one that wants more', () => {
    const permits = new FairPermits({ capacity: 10, reserve: 5 });
    permits.tryTake(1, 'quiet');
    expect(takeAll(permits, 'noisy')).toHaveLength(9);
  });

  it('allow a batch larger than the share when there is room', () => {
    const permits = new FairPermits({ capacity: 10, reserve: 5 });
    permits.tryTake(1, 'quiet');
    expect(permits.tryTake(9, 'batch')).toBeDefined();
    expect(permits.tryTake(10, 'batch')).toBeUndefined();
  });

  it('are limited for each by a maximum while others hold some', () => {
    const permits = new FairPermits({ capacity: 10, reserve: 5, maxPerHolder: 3 });
    const alone = takeAll(permits, 'noisy');
    expect(alone).toHaveLength(10);
    const quiet = permits.tryTake(1, 'quiet');
    expect(quiet).toBeDefined();
    for (const release of alone.splice(3)) release();
    expect(permits.tryTake(1, 'noisy')).toBeUndefined();
    // There is room, so the refusal is for the share.
    expect(permits.hasRoom(1)).toBe(true);
    alone.pop()?.();
    expect(permits.tryTake(1, 'noisy')).toBeDefined();
    // A batch of more than the maximum is possible for one that holds nothing.
    expect(permits.tryTake(5, 'batch')).toBeDefined();
    quiet?.();
  });

  it('are bounded whoever asks', () => {
    const permits = new FairPermits({ capacity: 10, reserve: 5 });
    for (let i = 0; i < 1_000; i++) permits.tryTake(1, `caller ${i}`);
    expect(permits.taken).toBe(15);
  });
});
