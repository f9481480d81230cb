import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { benchModule } from './bench-module.ts';

const { runClosedLoop } = await benchModule('load/closed-loop.mjs');
const { runOpenLoop } = await benchModule('load/open-loop.mjs');
const { interleave } = await benchModule('interleave.mjs');

const success = { status: 200 };

describe('the open loop', () => {
  it('counts the waiting that a stall causes for all who were due meanwhile (coordinated omission)', async () => {
    // A server that handles one at a time and hangs once for 300 ms, while a request is due every 10 ms.
    const send = async (index: number) => {
      await sleep(index === 5 ? 300 : 1);
      return success;
    };
    const { ms, due } = await runOpenLoop({ rate: 100, seconds: 0.5, maxOpen: 1, send });
    expect(due).toBe(50);
    expect(ms).toHaveLength(50);
    // Measured from when they were sent, all but one would look fast.
    expect(ms.filter((each: number) => each > 100).length).toBeGreaterThanOrEqual(15);
  });

  it('keeps to its rate, however slow the answers are', async () => {
    const sent: number[] = [];
    const send = async () => {
      sent.push(performance.now());
      await sleep(200);
      return success;
    };
    await runOpenLoop({ rate: 50, seconds: 0.4, send });
    expect(sent).toHaveLength(20);
    expect((sent.at(-1) as number) - (sent[0] as number)).toBeLessThan(700);
  });

  it('never has more requests open than it may', async () => {
    let open = 0;
    let most = 0;
    const send = async () => {
      most = Math.max(most, ++open);
      await sleep(20);
      open--;
      return success;
    };
    await runOpenLoop({ rate: 500, seconds: 0.2, maxOpen: 4, send });
    expect(most).toBe(4);
  });

  it('counts what was never answered with the time it has waited, and does not wait for ever', async () => {
    const send = (index: number) => (index === 0 ? new Promise(() => {}) : Promise.resolve(success));
    const { ms, unfinished } = await runOpenLoop({ rate: 100, seconds: 0.1, patience: 150, send });
    expect(unfinished).toBe(1);
    expect(ms).toHaveLength(10);
    expect(Math.max(...ms)).toBeGreaterThan(150);
  });

  it('keeps refusals out of the latencies and counts them by kind', async () => {
    const send = async (index: number) => (index % 2 === 0 ? success : { status: 503, code: 'OVERLOADED' });
    const { ms, failures } = await runOpenLoop({ rate: 200, seconds: 0.1, send });
    expect(ms).toHaveLength(10);
    expect(failures).toEqual({ '503 OVERLOADED': 10 });
  });
});

describe('the closed loop', () => {
  it('has one request open for each connection and stops at the limit', async () => {
    let open = 0;
    let most = 0;
    const send = async () => {
      most = Math.max(most, ++open);
      await sleep(2);
      open--;
      return success;
    };
    const { ms } = await runClosedLoop({ connections: 3, seconds: 5, maxRequests: 20, send });
    expect(ms).toHaveLength(20);
    expect(most).toBe(3);
  });

  it('ends when its time is over', async () => {
    const send = async () => {
      await sleep(5);
      return success;
    };
    const { elapsed } = await runClosedLoop({ connections: 2, seconds: 0.1, send });
    expect(elapsed).toBeGreaterThanOrEqual(100);
    expect(elapsed).toBeLessThan(1_000);
  });
});

it('contestants take turns, and every second round in reverse', async () => {
  const order: string[] = [];
  const measure = (name: string) => async () => order.push(name);
  const values = await interleave({ a: measure('a'), b: measure('b') }, { rounds: 2 });
  expect(order).toEqual(['a', 'b', 'b', 'a']);
  expect(values).toEqual({ a: [1, 4], b: [2, 3] });
});
