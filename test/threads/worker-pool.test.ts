import { describe, expect, it, vi } from 'vitest';
import { silentLog } from '../support/engine/engines.ts';
import {
  createPool,
  Latch,
  scripted,
  startPool,
  stopClock,
  testWorker,
  untilRunning,
} from './scripted-pool.ts';

describe('the worker pool', () => {
  it('spreads jobs over all workers and answers each with its own result', async () => {
    const pool = await startPool(2);
    const results = await Promise.all(Array.from({ length: 20 }, (_, echo) => pool.run({ echo })));
    expect(results.map(({ result }) => result.echo)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(new Set(results.map(({ result }) => result.threadId)).size).toBe(2);
  });

  it('tells a job that the cores are idle, and sends such jobs to worker 0', async () => {
    const pool = await startPool(2);
    for (let i = 0; i < 3; i++) {
      const { result } = await pool.run({});
      expect(result).toMatchObject({ coresIdle: true, worker: 0 });
    }
    const together = await Promise.all([pool.run({}), pool.run({}), pool.run({})]);
    expect(together.map(({ result }) => result.coresIdle)).toEqual([false, false, false]);
    const latch = new Latch();
    const first = pool.run({ until: latch.flag });
    await untilRunning(pool, 1);
    expect((await pool.run({})).result).toMatchObject({ coresIdle: false, worker: 1 });
    latch.open();
    expect((await first).result).toMatchObject({ coresIdle: true, worker: 0 });
  });

  it('gives the replacement of worker 0 the same number', async () => {
    const pool = await startPool(2);
    await expect(pool.run({ dieInJob: true })).rejects.toMatchObject({ code: 'PROCESSING_ERROR' });
    await expect.poll(() => pool.alive).toBe(2);
    expect((await pool.run({})).result).toMatchObject({ coresIdle: true, worker: 0 });
  });

  it('runs jobs in the order in which they came', async () => {
    const pool = await startPool(1);
    const latch = new Latch();
    const finished: number[] = [];
    const jobs = [{ until: latch.flag }, {}, {}].map((job, i) => pool.run(job).then(() => finished.push(i)));
    await untilRunning(pool, 1);
    latch.open();
    await Promise.all(jobs);
    expect(finished).toEqual([0, 1, 2]);
  });

  it('reports how long a job waited', async () => {
    const pool = await startPool(1);
    stopClock();
    const latch = new Latch();
    const jobs = [pool.run({ until: latch.flag }), pool.run({})];
    await untilRunning(pool, 1);
    vi.advanceTimersByTime(60);
    latch.open();
    expect((await Promise.all(jobs)).map(({ waited }) => waited)).toEqual([0, 60]);
    expect(pool.expectedWait).toBe(0);
  });

  it('never starts a job whose deadline passed while it waited', async () => {
    const pool = await startPool(1, { maxWait: 50 });
    stopClock();
    const latch = new Latch();
    const running = pool.run({ until: latch.flag, echo: 'first' });
    const waiting = expect(pool.run({ dieInJob: true })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await untilRunning(pool, 1);
    vi.advanceTimersByTime(49);
    expect(pool.queued).toBe(1);
    vi.advanceTimersByTime(1);
    await waiting;
    expect(pool.queued).toBe(0);
    // What runs is finished even beyond the deadline, and the worker that would have died lives.
    latch.open();
    expect((await running).result.echo).toBe('first');
    expect(pool.alive).toBe(1);
  });

  it('takes a job out of the queue when its caller goes away', async () => {
    const pool = await startPool(1);
    const latch = new Latch();
    const caller = new AbortController();
    const running = pool.run({ until: latch.flag });
    const waiting = pool.run({ dieInJob: true }, { signal: caller.signal });
    caller.abort();
    await expect(waiting).rejects.toThrow(/abort/);
    expect(pool.queued).toBe(0);
    latch.open();
    await running;
    expect(pool.alive).toBe(1);
  });

  it('passes a service error on, and hides any other behind PROCESSING_ERROR', async () => {
    const pool = await startPool(1);
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

  it('rejects a job that cannot be sent and stays usable', async () => {
    const pool = await startPool(1);
    await expect(pool.run({ echo: () => {} })).rejects.toThrow(/could not be cloned/);
    expect((await pool.run({ echo: 'fine' })).result.echo).toBe('fine');
  });
});

describe('a worker that dies', () => {
  it('fails its job and is replaced, while the others go on', async () => {
    const pool = await startPool(2);
    const doomed = pool.run({ dieInJob: true });
    const others = Promise.all(Array.from({ length: 5 }, (_, echo) => pool.run({ echo })));
    await expect(doomed).rejects.toMatchObject({ code: 'PROCESSING_ERROR' });
    expect(pool.alive).toBe(1);
    await expect(others).resolves.toHaveLength(5);
    await expect.poll(() => pool.alive).toBe(2);
  });

  it('outside a job is replaced, too; a job that comes in between waits for the replacement', async () => {
    const pool = await startPool(1);
    const latch = new Latch();
    const { result } = await pool.run({ dieWhen: latch.flag, echo: 'done' });
    expect(result.echo).toBe('done');
    latch.open();
    await expect.poll(() => pool.lost).toBe(1);
    const next = await pool.run({ echo: 'next' });
    expect(next.result.threadId).not.toBe(result.threadId);
  });
});

describe('starting and closing', () => {
  it('fails to start when a worker cannot load', async () => {
    const pool = createPool(2);
    await expect(pool.start(scripted({ failToLoad: true }))).rejects.toThrow('cannot load');
    expect(pool.alive).toBe(0);
  });

  it('finishes what it accepted before it closes, and accepts nothing more', async () => {
    const pool = await startPool(1);
    const latch = new Latch();
    const jobs = Promise.all([pool.run({ until: latch.flag, echo: 1 }), pool.run({ echo: 2 })]);
    const closed = pool.close();
    await expect(pool.run({})).rejects.toMatchObject({ code: 'MODEL_NOT_LOADED' });
    latch.open();
    await closed;
    expect((await jobs).map(({ result }) => result.echo)).toEqual([1, 2]);
    expect(pool.alive).toBe(0);
  });

  it('starts its threads before it is known what they load', async () => {
    const pool = createPool(2);
    pool.prepare();
    const early = pool.run({ echo: 'early' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(pool).toMatchObject({ alive: 0, queued: 1 });
    await expect(pool.start(scripted())).resolves.toHaveLength(2);
    expect((await early).result.echo).toBe('early');
  });

  it('fails to start when a prepared thread has died', async () => {
    let hasDied = false;
    const log = Object.assign(Object.create(silentLog), { error: () => (hasDied = true) });
    const pool = createPool(2, { entry: testWorker('missing'), log });
    pool.prepare();
    await expect.poll(() => hasDied).toBe(true);
    await expect(pool.start(scripted())).rejects.toThrow('missing.js');
  });

  it('can be closed when it was only prepared', async () => {
    const pool = createPool(2);
    pool.prepare();
    await pool.close();
    await expect(pool.start(scripted())).rejects.toThrow('ended while it was loading');
  });

  it('can be closed while it loads', async () => {
    const pool = createPool(2);
    const latch = new Latch();
    const starting = pool.start(scripted({ loadUntil: latch.flag })).catch(() => {});
    const closed = pool.close();
    latch.open();
    await closed;
    await starting;
    expect(pool.alive).toBe(0);
  });
});
