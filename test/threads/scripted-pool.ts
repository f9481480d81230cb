import { afterEach, expect, vi } from 'vitest';
import { PACKAGE_ROOT } from '../../src/config/package.ts';
import { type PoolOptions, WorkerPool } from '../../src/threads/worker-pool.ts';
import { silentLog } from '../support/engine/engines.ts';
import type { Flag, ScriptedJob, ScriptedResult, ScriptedSetup } from './workers/scripted.ts';

export type Pool = WorkerPool<{ threadId: number }, ScriptedJob, ScriptedResult>;

/** The compiled form of a file in workers/. */
export const testWorker = (name: string): URL =>
  new URL(`build/test/threads/workers/${name}.js`, PACKAGE_ROOT);

const pools: Pool[] = [];
const latches: Latch[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const latch of latches.splice(0)) latch.open();
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

/** Closed after the test. */
export function createPool(size: number, options: Partial<PoolOptions> = {}): Pool {
  const pool: Pool = new WorkerPool({
    entry: testWorker('scripted'),
    size,
    maxWait: 120_000,
    maxRun: 0,
    log: silentLog,
    ...options,
  });
  pools.push(pool);
  return pool;
}

/** What each worker loads. */
export const scripted =
  (setup: Omit<ScriptedSetup, 'worker'> = {}) =>
  (worker: number): ScriptedSetup => ({ ...setup, worker });

export async function startPool(
  size: number,
  options?: Partial<PoolOptions>,
  setup?: Omit<ScriptedSetup, 'worker'>,
): Promise<Pool> {
  const pool = createPool(size, options);
  await pool.start(scripted(setup));
  return pool;
}

/** Holds jobs back in their workers until it is opened, at the latest after the test. */
export class Latch {
  readonly flag: Flag = new Int32Array(new SharedArrayBuffer(4));

  constructor() {
    latches.push(this);
  }

  open(): void {
    Atomics.store(this.flag, 0, 1);
    Atomics.notify(this.flag, 0);
  }
}

/** Stops the clock of this thread, on which jobs wait; that of the workers goes on. */
export const stopClock = () =>
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });

export const untilRunning = (pool: Pool, jobs: number) =>
  expect.poll(() => pool.running, { interval: 1 }).toBe(jobs);
