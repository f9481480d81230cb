import { afterEach, describe, expect, it } from 'vitest';
import { WorkerPool } from '../../src/threads/worker-pool.ts';
import { silentLog } from '../support/engines.ts';

interface Job {
  ms?: number;
  fail?: string;
  dieOutsideJob?: boolean;
  dieInJob?: boolean;
  echo?: unknown;
}

type Pool = WorkerPool<
  { threadId: number },
  Job,
  {
    echo: unknown;
    threadId: number;
    coresIdle: boolean;
    worker: number;
    /** Jobs in its hands when it was done, itself included. */
    held: number;
  }
>;

const pools: Pool[] = [];

function createPool(
  size: number,
  options: { entry?: URL; maxWait?: number; jobsPerWorker?: number; prefetch?: boolean } = {},
): Pool {
  const pool: Pool = new WorkerPool({
    entry: options.entry ?? new URL('./workers/obedient.mjs', import.meta.url),
    size,
    maxWait: options.maxWait ?? 5_000,
    ...(options.prefetch ? { prefetch: true } : {}),
    ...(options.jobsPerWorker ? { jobsPerWorker: options.jobsPerWorker } : {}),
    log: silentLog,
  });
  pools.push(pool);
  return pool;
}

/** Tells each worker its number, and all of them the rest. */
const numbered =
  (setup: object = {}) =>
  (worker: number) => ({ ...setup, worker });

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

describe('the worker pool', () => {
  it('spreads jobs over all workers and answers each with its own result', async () => {
    const pool = createPool(2);
    await pool.start(numbered());
    const results = await Promise.all(Array.from({ length: 20 }, (_, echo) => pool.run({ echo, ms: 5 })));
    expect(results.map(({ result }) => result.echo)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(new Set(results.map(({ result }) => result.threadId)).size).toBe(2);
  });

  it('tells a job that the cores are idle, and sends such jobs to worker 0', async () => {
    const pool = createPool(2);
    await pool.start(numbered());
    for (let i = 0; i < 3; i++) {
      const { result } = await pool.run({});
      expect(result).toMatchObject({ coresIdle: true, worker: 0 });
    }
    const together = await Promise.all([pool.run({ ms: 20 }), pool.run({ ms: 20 }), pool.run({})]);
    expect(together.map(({ result }) => result.coresIdle)).toEqual([false, false, false]);
    const [long, late] = await Promise.all([
      pool.run({ ms: 60 }),
      new Promise((resolve) => setTimeout(resolve, 20)).then(() => pool.run({})),
    ]);
    expect(long.result).toMatchObject({ coresIdle: true, worker: 0 });
    expect(late.result).toMatchObject({ coresIdle: false, worker: 1 });
  });

  it('gives the replacement of its first worker the same number', async () => {
    const pool = createPool(2);
    await pool.start(numbered());
    await expect(pool.run({ dieInJob: true })).rejects.toMatchObject({ code: 'PROCESSING_ERROR' });
    await until(() => pool.alive === 2);
    expect((await pool.run({})).result).toMatchObject({ coresIdle: true, worker: 0 });
  });

  it('takes jobs in the order in which they came', async () => {
    const pool = createPool(1);
    await pool.start(numbered());
    const finished: number[] = [];
    await Promise.all([30, 1, 1].map((ms, i) => pool.run({ ms }).then(() => finished.push(i))));
    expect(finished).toEqual([0, 1, 2]);
  });

  it('tells how long a job waited', async () => {
    const pool = createPool(1);
    await pool.start(numbered());
    const [first, second] = await Promise.all([pool.run({ ms: 60 }), pool.run({})]);
    expect(first.waited).toBeLessThan(40);
    expect(second.waited).toBeGreaterThanOrEqual(55);
    expect(pool.expectedWait).toBe(0);
  });

  it('never starts a job whose deadline passed while it waited', async () => {
    const pool = createPool(1, { maxWait: 50 });
    await pool.start(numbered());
    const running = pool.run({ ms: 150, echo: 'first' });
    const started = performance.now();
    await expect(pool.run({ dieInJob: true })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(performance.now() - started).toBeLessThan(120);
    expect(pool.queued).toBe(0);
    // What runs is finished even beyond the deadline, and the worker that would have died lives.
    expect((await running).result.echo).toBe('first');
    expect(pool.alive).toBe(1);
  });

  it('takes a job out of the queue when its caller goes away', async () => {
    const pool = createPool(1);
    await pool.start(numbered());
    const caller = new AbortController();
    const running = pool.run({ ms: 80 });
    const waiting = pool.run({ dieInJob: true }, { signal: caller.signal });
    caller.abort();
    await expect(waiting).rejects.toThrow(/abort/);
    expect(pool.queued).toBe(0);
    await running;
    expect(pool.alive).toBe(1);
  });

  it('passes a service error on, and hides any other behind PROCESSING_ERROR', async () => {
    const pool = createPool(1);
    await pool.start(numbered());
    await expect(pool.run({ fail: 'service' })).rejects.toMatchObject({
      code: 'NO_FACE_DETECTED',
      detail: '0 faces',
    });
    await expect(pool.run({ fail: 'secret path' })).rejects.toMatchObject({
      code: 'PROCESSING_ERROR',
      message: 'The request could not be processed.',
      cause: expect.objectContaining({ message: 'secret path' }),
    });
  });

  it('answers the job of a worker that dies, replaces the worker, and serves on meanwhile', async () => {
    const pool = createPool(2);
    await pool.start(numbered());
    const doomed = pool.run({ dieInJob: true });
    const neighbours = Promise.all(Array.from({ length: 5 }, (_, echo) => pool.run({ echo, ms: 5 })));
    await expect(doomed).rejects.toMatchObject({ code: 'PROCESSING_ERROR' });
    expect(pool.alive).toBe(1);
    await expect(neighbours).resolves.toHaveLength(5);
    await until(() => pool.alive === 2);
  });

  it('replaces a worker that throws outside a job', async () => {
    const pool = createPool(1);
    await pool.start(numbered());
    const { result } = await pool.run({ dieOutsideJob: true, echo: 'done' });
    expect(result.echo).toBe('done');
    await until(() => pool.alive === 0);
    // A job that comes in the gap waits for the replacement.
    const next = await pool.run({ echo: 'next' });
    expect(next.result.threadId).not.toBe(result.threadId);
  });

  it('fails to start when a worker cannot load', async () => {
    const pool = createPool(2);
    await expect(pool.start(numbered({ failToLoad: true }))).rejects.toThrow('cannot load');
    expect(pool.alive).toBe(0);
  });

  it('finishes what it accepted before it closes, and accepts nothing more', async () => {
    const pool = createPool(1);
    await pool.start(numbered());
    const jobs = Promise.all([pool.run({ ms: 40, echo: 1 }), pool.run({ ms: 10, echo: 2 })]);
    const closed = pool.close();
    await expect(pool.run({})).rejects.toMatchObject({ code: 'MODEL_NOT_LOADED' });
    await closed;
    expect((await jobs).map(({ result }) => result.echo)).toEqual([1, 2]);
    expect(pool.alive).toBe(0);
  });

  it('starts its threads before it is known what they load', async () => {
    const pool = createPool(2);
    pool.prepare();
    const early = pool.run({ echo: 'early' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(pool).toMatchObject({ alive: 0, queued: 1 });
    await expect(pool.start(numbered())).resolves.toHaveLength(2);
    expect((await early).result.echo).toBe('early');
  });

  it('fails to start when a prepared thread has died', async () => {
    const pool = createPool(2, { entry: new URL('./workers/missing.mjs', import.meta.url) });
    pool.prepare();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await expect(pool.start(numbered())).rejects.toThrow('missing.mjs');
  });

  it('can be closed when it was only prepared', async () => {
    const pool = createPool(2);
    pool.prepare();
    await pool.close();
    await expect(pool.start(numbered())).rejects.toThrow('ended while it was loading');
  });

  it('can be closed while it loads', async () => {
    const pool = createPool(2);
    const starting = pool.start(numbered({ loadMs: 50 })).catch(() => {});
    await pool.close();
    await starting;
    expect(pool.alive).toBe(0);
  });

  it('rejects a job that cannot be sent and stays usable', async () => {
    const pool = createPool(1);
    await pool.start(numbered());
    await expect(pool.run({ echo: () => {} })).rejects.toThrow(/could not be cloned/);
    expect((await pool.run({ echo: 'fine' })).result.echo).toBe('fine');
  });
});

describe('a worker pool with several jobs for each worker', () => {
  it('gives a worker as many jobs as it may have, and the next when one is done', async () => {
    const pool = createPool(1, { jobsPerWorker: 3 });
    await pool.start(numbered());
    const finished: number[] = [];
    const jobs = [90, 60, 30, 1].map((ms, echo) =>
      pool.run({ ms, echo }).then(({ result }) => {
        finished.push(echo);
        return result.echo;
      }),
    );
    await until(() => pool.running > 0);
    expect(pool).toMatchObject({ alive: 1, busy: 1, running: 3, queued: 1 });
    // The fourth waits for the quickest of the three, and each gets its own answer.
    expect(await Promise.all(jobs)).toEqual([0, 1, 2, 3]);
    expect(finished).toEqual([2, 3, 1, 0]);
    expect(pool).toMatchObject({ alive: 1, busy: 0, running: 0, queued: 0 });
  });

  it('gives each job to the worker that has the fewest', async () => {
    const pool = createPool(2, { jobsPerWorker: 2 });
    await pool.start(numbered());
    const results = await Promise.all([40, 40, 40, 40, 1].map((ms) => pool.run({ ms })));
    expect(results.slice(0, 4).map(({ result }) => result.worker)).toEqual([0, 1, 0, 1]);
    expect(results.every(({ result }) => !result.coresIdle)).toBe(true);
  });

  it('counts the cores as idle only while no worker has another job', async () => {
    const pool = createPool(1, { jobsPerWorker: 2 });
    await pool.start(numbered());
    const first = pool.run({ ms: 40 });
    await until(() => pool.running === 1);
    const second = pool.run({});
    expect([(await first).result.coresIdle, (await second).result.coresIdle]).toEqual([true, false]);
    expect((await pool.run({})).result.coresIdle).toBe(true);
  });

  it('fails every job of a worker that dies, and none of the others', async () => {
    const pool = createPool(2, { jobsPerWorker: 2 });
    await pool.start(numbered());
    // In this order they go to the workers 0, 1, 0 and 1.
    const outcomes = await Promise.allSettled([
      pool.run({ ms: 50 }),
      pool.run({ ms: 50, echo: 'lives' }),
      pool.run({ dieInJob: true }),
      pool.run({ ms: 50, echo: 'lives' }),
    ]);
    const died = { status: 'rejected', reason: expect.objectContaining({ code: 'PROCESSING_ERROR' }) };
    const lives = { status: 'fulfilled', value: { result: expect.objectContaining({ echo: 'lives' }) } };
    expect(outcomes).toMatchObject([died, lives, died, lives]);
    expect(pool).toMatchObject({ running: 0, lost: 1 });
    await until(() => pool.alive === 2);
  });

  it('fails a job alone that throws beside others', async () => {
    const pool = createPool(1, { jobsPerWorker: 3 });
    await pool.start(numbered());
    const outcomes = await Promise.allSettled([
      pool.run({ ms: 20, echo: 1 }),
      pool.run({ fail: 'service' }),
      pool.run({ ms: 20, echo: 2 }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('keeps the deadline of those that wait, and finishes all it accepted before it closes', async () => {
    const pool = createPool(1, { jobsPerWorker: 2, maxWait: 40 });
    await pool.start(numbered());
    const running = Promise.all([pool.run({ ms: 90, echo: 1 }), pool.run({ ms: 120, echo: 2 })]);
    await expect(pool.run({ dieInJob: true })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await pool.close();
    expect((await running).map(({ result }) => result.echo)).toEqual([1, 2]);
    expect(pool).toMatchObject({ alive: 0, lost: 0 });
  });
});

describe('a pool that prefetches', () => {
  const PREFETCH = { prefetch: true };
  const IN_ORDER = numbered({ inOrder: true });

  it('gives each worker its next job before it is done, while more wait than there are workers', async () => {
    const pool = createPool(2, PREFETCH);
    await pool.start(IN_ORDER);
    const jobs = Array.from({ length: 10 }, (_, echo) => pool.run({ echo, ms: 20 }));
    await until(() => pool.running === 2);
    expect(pool.queued).toBe(8);
    const results = (await Promise.all(jobs)).map(({ result }) => result);
    expect(results.map(({ echo }) => echo)).toEqual(Array.from({ length: 10 }, (_, i) => i));
    const held = (echo: number) => results[echo]?.held;
    expect([held(0), held(1)]).toEqual([2, 2]);
    expect([held(8), held(9)]).toEqual([1, 1]);
    expect(new Set(results.map(({ worker }) => worker)).size).toBe(2);
  });

  it('keeps those for which another worker may be free sooner', async () => {
    const pool = createPool(2, PREFETCH);
    await pool.start(IN_ORDER);
    const long = pool.run({ ms: 200 });
    const others = [10, 0, 0].map((ms, echo) => pool.run({ ms, echo }).then(({ result }) => result));
    expect((await Promise.all(others)).map(({ worker, held }) => [worker, held])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    await long;
  });

  it('expects no longer a wait than there is', async () => {
    const pool = createPool(1, PREFETCH);
    await pool.start(IN_ORDER);
    await Promise.all(Array.from({ length: 6 }, () => pool.run({ ms: 30 })));
    const last = Array.from({ length: 3 }, () => pool.run({ ms: 30 }));
    await until(() => pool.running === 1);
    expect(pool.queued).toBe(2);
    // Of each job alone and not of its time in the worker's hands, behind another.
    expect(pool.expectedWait).toBeGreaterThan(2 * 25);
    expect(pool.expectedWait).toBeLessThan(2 * 50);
    await Promise.all(last);
  });

  it('loses the job at work alone when a worker dies, and moves nothing to it that others will need', async () => {
    const pool = createPool(1, PREFETCH);
    await pool.start(IN_ORDER);
    const run = (echo: Uint8Array<ArrayBuffer>) => pool.run({ echo }, { transfer: [echo.buffer] });
    const died = pool.run({ dieInJob: true });
    const others = [1, 2, 3].map((value) => run(Uint8Array.of(value)));
    await expect(died).rejects.toMatchObject({ code: 'PROCESSING_ERROR' });
    const echoes = (await Promise.all(others)).map(({ result }) => result.echo);
    expect(echoes).toEqual([1, 2, 3].map((value) => Uint8Array.of(value)));
    expect(pool).toMatchObject({ running: 0, queued: 0, lost: 1 });
  });

  it('keeps the deadline of what it handed ahead, and lets its caller go', async () => {
    const pool = createPool(1, { ...PREFETCH, maxWait: 60 });
    await pool.start(IN_ORDER);
    const leaving = new AbortController();
    const running = pool.run({ ms: 150, echo: 'first' });
    const ahead = pool.run({ echo: 'ahead' }, { signal: leaving.signal });
    const behind = pool.run({ dieInJob: true });
    await until(() => pool.running === 1);
    leaving.abort(new Error('gone'));
    await expect(ahead).rejects.toThrow('gone');
    await expect(behind).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect((await running).result.echo).toBe('first');
    expect((await pool.run({ echo: 'next' })).result.echo).toBe('next');
    expect(pool).toMatchObject({ alive: 1, lost: 0, queued: 0 });
  });

  it('does not run again what nobody waits for any more', async () => {
    const pool = createPool(1, PREFETCH);
    await pool.start(IN_ORDER);
    const leaving = new AbortController();
    const died = pool.run({ dieInJob: true });
    const ahead = pool.run({ dieInJob: true }, { signal: leaving.signal });
    const behind = pool.run({ echo: 'behind' });
    leaving.abort(new Error('gone'));
    await expect(ahead).rejects.toThrow('gone');
    await expect(died).rejects.toMatchObject({ code: 'PROCESSING_ERROR' });
    expect((await behind).result.echo).toBe('behind');
    expect(pool.lost).toBe(1);
  });

  it('answers a job that fails, and all it accepted before it closes', async () => {
    const pool = createPool(1, PREFETCH);
    await pool.start(IN_ORDER);
    const outcomes = Promise.allSettled([
      pool.run({ ms: 20 }),
      pool.run({ fail: 'service' }),
      pool.run({ fail: 'service' }),
      pool.run({ echo: 'last' }),
    ]);
    await until(() => pool.running === 1);
    await pool.close();
    expect((await outcomes).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
  });
});
