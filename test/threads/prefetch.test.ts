import { describe, expect, it, vi } from 'vitest';
import { Latch, startPool, stopClock, untilRunning } from './scripted-pool.ts';

const startPrefetching = (size: number, options: { maxWait?: number } = {}, arrived?: Int32Array) =>
  startPool(size, { prefetch: true, ...options }, { inOrder: true, ...(arrived && { arrived }) });

describe('a worker pool that prefetches', () => {
  it('sends each worker its next job before the last has ended, while more wait than there are workers', async () => {
    const arrived = new Int32Array(new SharedArrayBuffer(4));
    const pool = await startPrefetching(2, {}, arrived);
    const latch = new Latch();
    const jobs = Array.from({ length: 10 }, (_, echo) => pool.run({ echo, until: latch.flag }));
    await expect.poll(() => arrived[0]).toBe(4);
    expect(pool).toMatchObject({ running: 2, queued: 8 });
    latch.open();
    const results = (await Promise.all(jobs)).map(({ result }) => result);
    expect(results.map(({ echo }) => echo)).toEqual(Array.from({ length: 10 }, (_, i) => i));
    const held = (echo: number) => results[echo]?.held;
    expect([held(0), held(1)]).toEqual([2, 2]);
    expect([held(8), held(9)]).toEqual([1, 1]);
    expect(new Set(results.slice(0, 2).map(({ worker }) => worker)).size).toBe(2);
  });

  it('keeps jobs back for which another worker may be free sooner', async () => {
    const pool = await startPrefetching(2);
    const latch = new Latch();
    const long = pool.run({ until: latch.flag });
    const others = await Promise.all([1, 2, 3].map((echo) => pool.run({ echo })));
    expect(others.map(({ result }) => [result.worker, result.held])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    latch.open();
    await long;
  });

  it('does not count the wait of a prefetched job as time that it took', async () => {
    const pool = await startPrefetching(1);
    stopClock();
    const latches = Array.from({ length: 9 }, () => new Latch());
    const jobs = latches.map(({ flag }) => pool.run({ until: flag }));
    for (let ended = 0; ended < 6; ended++) {
      await untilRunning(pool, 1);
      vi.advanceTimersByTime(30);
      latches[ended]?.open();
      await jobs[ended];
    }
    // One of three runs; each took 30 ms, although it had been sent up to 30 ms earlier.
    await untilRunning(pool, 1);
    expect(pool.queued).toBe(2);
    expect(pool.expectedWait).toBeCloseTo(60, 6);
    for (const latch of latches) latch.open();
    await Promise.all(jobs);
  });

  it('loses only the running job when a worker dies, and keeps the data of the others', async () => {
    const pool = await startPrefetching(1);
    const run = (echo: Uint8Array<ArrayBuffer>) => pool.run({ echo }, { transfer: [echo.buffer] });
    const died = pool.run({ dieInJob: true });
    const others = [1, 2, 3].map((value) => run(Uint8Array.of(value)));
    await expect(died).rejects.toMatchObject({ code: 'PROCESSING_ERROR' });
    const echoes = (await Promise.all(others)).map(({ result }) => result.echo);
    expect(echoes).toEqual([1, 2, 3].map((value) => Uint8Array.of(value)));
    expect(pool).toMatchObject({ running: 0, queued: 0, lost: 1 });
  });

  it('keeps the deadline of a prefetched job, and answers its caller who goes away', async () => {
    const pool = await startPrefetching(1, { maxWait: 60 });
    stopClock();
    const latch = new Latch();
    const leaving = new AbortController();
    const running = pool.run({ until: latch.flag, echo: 'first' });
    const left = expect(pool.run({ echo: 'prefetched' }, { signal: leaving.signal })).rejects.toThrow('gone');
    const late = expect(pool.run({ dieInJob: true })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await untilRunning(pool, 1);
    leaving.abort(new Error('gone'));
    await left;
    vi.advanceTimersByTime(60);
    await late;
    latch.open();
    expect((await running).result.echo).toBe('first');
    expect((await pool.run({ echo: 'next' })).result.echo).toBe('next');
    expect(pool).toMatchObject({ alive: 1, lost: 0, queued: 0 });
  });

  it('does not run a prefetched job again when its caller has gone away and its worker died', async () => {
    const pool = await startPrefetching(1);
    const leaving = new AbortController();
    const died = pool.run({ dieInJob: true });
    const prefetched = pool.run({ dieInJob: true }, { signal: leaving.signal });
    const behind = pool.run({ echo: 'behind' });
    leaving.abort(new Error('gone'));
    await expect(prefetched).rejects.toThrow('gone');
    await expect(died).rejects.toMatchObject({ code: 'PROCESSING_ERROR' });
    expect((await behind).result.echo).toBe('behind');
    expect(pool.lost).toBe(1);
  });

  it('answers a job that fails, and all it accepted before it closes', async () => {
    const pool = await startPrefetching(1);
    const latch = new Latch();
    const outcomes = Promise.allSettled([
      pool.run({ until: latch.flag }),
      pool.run({ fail: 'service' }),
      pool.run({ fail: 'service' }),
      pool.run({ echo: 'last' }),
    ]);
    await untilRunning(pool, 1);
    const closed = pool.close();
    latch.open();
    await closed;
    expect((await outcomes).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
  });
});
