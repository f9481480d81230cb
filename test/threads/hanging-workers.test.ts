import { describe, expect, it, vi } from 'vitest';
import { silentLog } from '../support/engine/engines.ts';
import {
  createPool,
  Latch,
  type Pool,
  scripted,
  startPool,
  stopClock,
  untilRunning,
} from './scripted-pool.ts';
import { unreadable } from './workers/unreadable.ts';

const LIMIT_MS = 10_000;
/** A tenth of the limit is how exactly time is kept. */
const EXPIRED_MS = LIMIT_MS * 1.1;

/** A pool on a clock that only the test moves, with a job that never ends. */
async function startHanging(size: number, options: Parameters<typeof createPool>[1] = {}) {
  stopClock();
  const pool = await startPool(size, { maxRun: LIMIT_MS, ...options });
  return { pool, hang: (latch = new Latch()) => ({ latch, answer: run(pool, latch) }) };
}

/** @returns what the job ends with: its result, or the code of its error. */
function run(pool: Pool, hangUntil: Latch): Promise<unknown> {
  return pool.run({ hangUntil: hangUntil.flag }).then(
    ({ result }) => result,
    ({ code }) => code,
  );
}

/** Moves the clock until the pool is as it should be: replacements start after a delay, and their threads in their own time. */
const untilAlive = (pool: Pool, count: number) =>
  expect
    .poll(
      async () => {
        await vi.advanceTimersByTimeAsync(100);
        return pool.alive;
      },
      { interval: 5 },
    )
    .toBe(count);

describe('a worker that hangs', () => {
  it('is given up after the limit: its job fails, and another thread takes its place', async () => {
    const { pool, hang } = await startHanging(1);
    const { answer } = hang();
    await untilRunning(pool, 1);
    await vi.advanceTimersByTimeAsync(LIMIT_MS - 1);
    expect(pool).toMatchObject({ alive: 1, running: 1, hung: 0 });
    await vi.advanceTimersByTimeAsync(EXPIRED_MS - LIMIT_MS + 1);
    expect(await answer).toBe('PROCESSING_ERROR');
    expect(pool).toMatchObject({ running: 0, hung: 1, lost: 1 });
    await untilAlive(pool, 1);
    expect((await pool.run({ echo: 'next' })).result).toMatchObject({ echo: 'next', worker: 0 });
  });

  it('leaves the others alone, and passes on the job that it had been sent early', async () => {
    const { pool, hang } = await startHanging(1, { prefetch: true, maxWait: 10 * LIMIT_MS });
    const { answer } = hang();
    const waiting = Promise.all([1, 2, 3].map((echo) => pool.run({ echo })));
    await untilRunning(pool, 1);
    expect(pool.queued).toBe(3);
    await vi.advanceTimersByTimeAsync(EXPIRED_MS);
    expect(await answer).toBe('PROCESSING_ERROR');
    await untilAlive(pool, 1);
    expect((await waiting).map(({ result }) => result.echo)).toEqual([1, 2, 3]);
  });

  it('ends by itself when it goes on after all', async () => {
    const { pool, hang } = await startHanging(1);
    const { latch, answer } = hang();
    await untilRunning(pool, 1);
    await vi.advanceTimersByTimeAsync(EXPIRED_MS);
    expect(await answer).toBe('PROCESSING_ERROR');
    expect(pool.hung).toBe(1);
    latch.open();
    await expect.poll(() => pool.hung).toBe(0);
    await untilAlive(pool, 1);
    expect(pool.lost).toBe(1);
  });

  it('is not waited for when the pool closes', async () => {
    const { pool, hang } = await startHanging(2);
    const { answer } = hang();
    await untilRunning(pool, 1);
    await vi.advanceTimersByTimeAsync(EXPIRED_MS);
    expect(await answer).toBe('PROCESSING_ERROR');
    await pool.close();
    expect(pool).toMatchObject({ alive: 0, hung: 1 });
  });

  it('is terminated where that is safe', async () => {
    const { pool, hang } = await startHanging(1, { canTerminate: true });
    const { answer } = hang();
    await untilRunning(pool, 1);
    await vi.advanceTimersByTimeAsync(EXPIRED_MS);
    expect(await answer).toBe('PROCESSING_ERROR');
    await expect.poll(() => pool.hung).toBe(0);
    await untilAlive(pool, 1);
  });

  it('is replaced twice, with others that hang; then the pool says that it is beyond repair, once', async () => {
    const onBeyondRepair = vi.fn();
    const { pool, hang } = await startHanging(4, { onBeyondRepair });
    for (const [alive, calls] of [
      [4, 0],
      [4, 0],
      [3, 1],
      [2, 1],
    ] as const) {
      const { answer } = hang();
      await untilRunning(pool, 1);
      await vi.advanceTimersByTimeAsync(EXPIRED_MS);
      expect(await answer).toBe('PROCESSING_ERROR');
      await untilAlive(pool, alive);
      expect(onBeyondRepair).toHaveBeenCalledTimes(calls);
    }
    expect(pool).toMatchObject({ hung: 4, lost: 4 });
  });

  it('is one whose own job takes too long, however many came before', async () => {
    const { pool } = await startHanging(1);
    for (let i = 0; i < 30; i++) {
      const latch = new Latch();
      const job = pool.run({ until: latch.flag });
      await untilRunning(pool, 1);
      await vi.advanceTimersByTimeAsync(LIMIT_MS / 2);
      latch.open();
      await job;
    }
    expect(pool).toMatchObject({ alive: 1, lost: 0 });
  });

  it('is waited for without a limit', async () => {
    const { pool, hang } = await startHanging(1, { maxRun: 0 });
    const { latch, answer } = hang();
    await untilRunning(pool, 1);
    await vi.advanceTimersByTimeAsync(1000 * LIMIT_MS);
    expect(pool).toMatchObject({ running: 1, lost: 0 });
    latch.open();
    expect(await answer).toMatchObject({ worker: 0 });
  });
});

describe('a message that cannot be read', () => {
  it('from a worker fails its jobs, and it is replaced', async () => {
    const pool = await startPool(1);
    await expect(pool.run({ garble: true })).rejects.toMatchObject({ code: 'PROCESSING_ERROR' });
    await expect.poll(() => pool.alive).toBe(1);
    expect((await pool.run({ echo: 'next' })).result.echo).toBe('next');
    expect(pool.lost).toBe(1);
    await expect.poll(() => pool.hung).toBe(0);
  });

  it('to a worker fails its jobs, and it is replaced', async () => {
    const pool = await startPool(1);
    await expect(pool.run({ echo: unreadable() })).rejects.toMatchObject({ code: 'PROCESSING_ERROR' });
    await expect.poll(() => pool.alive).toBe(1);
    expect((await pool.run({ echo: 'next' })).result.echo).toBe('next');
    expect(pool.lost).toBe(1);
  });
});

describe('workers that cannot be started at first', () => {
  it('are started again, and callers meanwhile are told so and when to come back', async () => {
    stopClock();
    const errors = vi.fn();
    const log = Object.assign(Object.create(silentLog), { error: errors });
    const pool = createPool(1, { log });
    const latch = new Latch();
    const refusal = {
      code: 'OVERLOADED',
      reason: 'no_thread',
      message: expect.stringContaining('could not be started'),
      retryAfter: expect.any(Number),
    };
    pool.startPersistently(scripted({ failUntil: latch.flag }));
    // It joined the queue before that was known.
    await expect(pool.run({})).rejects.toMatchObject(refusal);
    await expect(pool.run({})).rejects.toMatchObject(refusal);
    expect(errors).toHaveBeenCalledWith(expect.anything(), expect.stringContaining('cannot load'));
    latch.open();
    await untilAlive(pool, 1);
    expect((await pool.run({ echo: 'at last' })).result.echo).toBe('at last');
  });
});
