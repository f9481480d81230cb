import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Arrivals } from '../../src/engine/arrivals.ts';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { startEngine, testConfig } from '../support/engine/engines.ts';

const OVERLOADED = expect.objectContaining({ code: 'OVERLOADED' });

describe('callers whose images are on their way', () => {
  let engine: InferenceEngine;
  beforeAll(async () => {
    engine = await startEngine(testConfig({ MAX_QUEUE: '6' }));
  });
  afterAll(() => engine?.close());

  it('are as many as there are free places', () => {
    const { capacity } = engine.load;
    const taken = engine.admit(capacity - 2);
    const arrived = [engine.letIn(), engine.letIn()];
    expect(() => engine.letIn()).toThrow(OVERLOADED);
    arrived[0]?.();
    const third = engine.letIn();
    // Whoever has brought an image has a place, whatever others are expected.
    const place = engine.admit(1);
    arrived[1]?.();
    expect(() => engine.letIn()).toThrow(OVERLOADED);
    for (const end of [third, place.release, taken.release]) end();
    expect(engine.load.admitted).toBe(0);
  });

  it('do not keep those of another holder away', () => {
    const { capacity } = engine.load;
    const half = engine.admit(Math.ceil(capacity / 2), 'one');
    const others = Array.from({ length: Math.floor(capacity / 2) }, () => engine.letIn('one'));
    expect(() => engine.letIn('one')).toThrow(OVERLOADED);
    engine.letIn('another')();
    for (const end of [...others, half.release]) end();
  });

  it('cost nobody a place while many are free', () => {
    const arrived = Array.from({ length: 2 * engine.load.capacity }, () => engine.letIn());
    for (const end of arrived) end();
  });
});

describe('an arrival', () => {
  afterEach(() => vi.useRealTimers());

  it('ends once, or by itself after a quarter of a second', () => {
    vi.useFakeTimers();
    const arrivals = new Arrivals();
    const first = arrivals.expect('one');
    arrivals.expect('one');
    expect(arrivals.count('one')).toBe(2);
    first();
    first();
    expect(arrivals.count('one')).toBe(1);
    expect(arrivals.count('another')).toBe(0);
    vi.advanceTimersByTime(249);
    expect(arrivals.count('one')).toBe(1);
    vi.advanceTimersByTime(1);
    expect(arrivals.count('one')).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
