import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { interleave } from '../../bench/interleave.ts';
import { type LoopResult, runClosedLoop } from '../../bench/load/closed-loop.ts';
import { runOpenLoop } from '../../bench/load/open-loop.ts';

// The loops run on Vitest's fake clock, which does not replace the timers of this module by itself.
vi.mock('node:timers/promises', () => ({ setTimeout: sleep }));

const success = { status: 200 };

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Lets the fake clock run until the loop has ended. */
async function finish<Result extends LoopResult>(loop: Promise<Result>): Promise<Result> {
  await vi.runAllTimersAsync();
  return loop;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the open loop', () => {
  it('measures latency from when a request was due, so that a stall counts for all requests due meanwhile', async () => {
    // Handles one request at a time and stalls once for 300 ms, while a request is due every 10 ms.
    const send = async (index: number) => {
      await sleep(index === 5 ? 300 : 1);
      return success;
    };
    const { ms, due } = await finish(runOpenLoop({ rate: 100, seconds: 0.5, maxOpen: 1, send }));
    expect(due).toBe(50);
    // Number 5 waits 300 ms; each later one is due 10 ms later and takes 1 ms, until the queue is empty.
    const waiting = Array.from({ length: 34 }, (_, i) => 300 - 9 * i);
    expect(ms).toEqual([1, 1, 1, 1, 1, ...waiting, ...Array(11).fill(1)]);
  });

  it('starts requests at its rate while earlier ones are unanswered', async () => {
    const sentAt: number[] = [];
    const send = async () => {
      sentAt.push(performance.now());
      await sleep(1_000);
      return success;
    };
    const start = performance.now();
    await finish(runOpenLoop({ rate: 50, seconds: 0.4, send }));
    expect(sentAt.map((at) => at - start)).toEqual(Array.from({ length: 20 }, (_, i) => i * 20));
  });

  it('never has more than maxOpen requests open', async () => {
    let open = 0;
    let max = 0;
    const send = async () => {
      max = Math.max(max, ++open);
      await sleep(20);
      open--;
      return success;
    };
    await finish(runOpenLoop({ rate: 500, seconds: 0.2, maxOpen: 4, send }));
    expect(max).toBe(4);
  });

  it('counts a request without an answer with the time it has waited, and ends', async () => {
    const send = (index: number) => (index === 0 ? new Promise<never>(() => {}) : Promise.resolve(success));
    const { ms, unfinished } = await finish(runOpenLoop({ rate: 100, seconds: 0.1, timeoutMs: 150, send }));
    expect(unfinished).toBe(1);
    // The last request is due at 90 ms.
    expect(ms).toEqual([...Array(9).fill(0), 240]);
  });

  it('counts errors by kind and leaves them out of the latencies', async () => {
    const send = async (index: number) => (index % 2 === 0 ? success : { status: 503, code: 'OVERLOADED' });
    const { ms, failures } = await finish(runOpenLoop({ rate: 200, seconds: 0.1, send }));
    expect(ms).toHaveLength(10);
    expect(failures).toEqual({ '503 OVERLOADED': 10 });
  });
});

describe('the closed loop', () => {
  it('has one request open per connection and stops at maxRequests', async () => {
    let open = 0;
    let max = 0;
    const send = async () => {
      max = Math.max(max, ++open);
      await sleep(2);
      open--;
      return success;
    };
    const { ms } = await finish(runClosedLoop({ connections: 3, seconds: 5, maxRequests: 20, send }));
    expect(ms).toEqual(Array(20).fill(2));
    expect(max).toBe(3);
  });

  it('sends no request after its time, and waits for the answers to open ones', async () => {
    const send = async () => {
      await sleep(30);
      return success;
    };
    const { ms, elapsed } = await finish(runClosedLoop({ connections: 2, seconds: 0.1, send }));
    expect(elapsed).toBe(120);
    expect(ms).toHaveLength(8);
  });
});

it('interleave measures in turn, every second round in reverse', async () => {
  const order: string[] = [];
  const measure = (name: string) => async () => order.push(name);
  const values = await interleave({ a: measure('a'), b: measure('b') }, { minRounds: 2, maxRounds: 2 });
  expect(order).toEqual(['a', 'b', 'b', 'a']);
  expect(values).toEqual({ a: [1, 4], b: [2, 3] });
});
