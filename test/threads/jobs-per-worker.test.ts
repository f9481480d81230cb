import { describe, expect, it, vi } from 'vitest';
import { Latch, startPool, stopClock, untilRunning } from './scripted-pool.ts';

describe('a worker pool with several jobs for each worker', () => {
  it('gives a worker as many jobs as it may have, and the next when one has ended', async () => {
    const pool = await startPool(1, { jobsPerWorker: 3 });
    const latches = [new Latch(), new Latch(), new Latch()];
    const ended: number[] = [];
    const jobs = [...latches, undefined].map((latch, echo) =>
      pool.run({ echo, ...(latch && { until: latch.flag }) }).then(({ result }) => {
        ended.push(echo);
        return result.echo;
      }),
    );
    await untilRunning(pool, 3);
    expect(pool).toMatchObject({ alive: 1, busy: 1, running: 3, queued: 1 });
    // The fourth waits for the first of the three to end, whichever that is.
    latches[2]?.open();
    await jobs[3];
    expect(ended).toEqual([2, 3]);
    latches[1]?.open();
    await jobs[1];
    latches[0]?.open();
    expect(await Promise.all(jobs)).toEqual([0, 1, 2, 3]);
    expect(ended).toEqual([2, 3, 1, 0]);
    expect(pool).toMatchObject({ alive: 1, busy: 0, running: 0, queued: 0 });
  });

  it('gives each job to the worker that has the fewest', async () => {
    const pool = await startPool(2, { jobsPerWorker: 2 });
    const latch = new Latch();
    const jobs = Array.from({ length: 5 }, () => pool.run({ until: latch.flag }));
    await untilRunning(pool, 4);
    latch.open();
    const results = (await Promise.all(jobs)).map(({ result }) => result);
    expect(results.slice(0, 4).map(({ worker }) => worker)).toEqual([0, 1, 0, 1]);
    expect(results.every(({ coresIdle }) => !coresIdle)).toBe(true);
  });

  it('counts the cores as idle only while no worker has another job', async () => {
    const pool = await startPool(1, { jobsPerWorker: 2 });
    const latch = new Latch();
    const first = pool.run({ until: latch.flag });
    await untilRunning(pool, 1);
    expect((await pool.run({})).result.coresIdle).toBe(false);
    latch.open();
    expect((await first).result.coresIdle).toBe(true);
    expect((await pool.run({})).result.coresIdle).toBe(true);
  });

  it('fails every job of a worker that dies, and none of the others', async () => {
    const pool = await startPool(2, { jobsPerWorker: 2 });
    const latch = new Latch();
    const { flag: until } = latch;
    // In this order they go to the workers 0, 1, 0 and 1.
    const jobs = Promise.allSettled([
      pool.run({ until }),
      pool.run({ until, echo: 'lives' }),
      pool.run({ dieInJob: true }),
      pool.run({ until, echo: 'lives' }),
    ]);
    await expect.poll(() => pool.lost).toBe(1);
    latch.open();
    const died = { status: 'rejected', reason: expect.objectContaining({ code: 'PROCESSING_ERROR' }) };
    const lives = { status: 'fulfilled', value: { result: expect.objectContaining({ echo: 'lives' }) } };
    expect(await jobs).toMatchObject([died, lives, died, lives]);
    expect(pool).toMatchObject({ running: 0, lost: 1 });
    await expect.poll(() => pool.alive).toBe(2);
  });

  it('fails only the job that throws, not those beside it', async () => {
    const pool = await startPool(1, { jobsPerWorker: 3 });
    const latch = new Latch();
    const first = pool.run({ until: latch.flag });
    const failing = pool.run({ fail: 'service' });
    const last = pool.run({ until: latch.flag });
    await expect(failing).rejects.toMatchObject({ code: 'NO_FACE_DETECTED' });
    latch.open();
    await Promise.all([first, last]);
  });

  it('keeps the deadline of jobs that wait, and finishes all it accepted before it closes', async () => {
    const pool = await startPool(1, { jobsPerWorker: 2, maxWait: 40 });
    stopClock();
    const latch = new Latch();
    const running = [1, 2].map((echo) => pool.run({ until: latch.flag, echo }));
    const waiting = expect(pool.run({ dieInJob: true })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await untilRunning(pool, 2);
    vi.advanceTimersByTime(40);
    await waiting;
    const closed = pool.close();
    latch.open();
    await closed;
    expect((await Promise.all(running)).map(({ result }) => result.echo)).toEqual([1, 2]);
    expect(pool).toMatchObject({ alive: 0, lost: 0 });
  });
});
