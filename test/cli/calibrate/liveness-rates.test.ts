import { describe, expect, it } from 'vitest';
import { isLivenessCalibration, readLivenessOptions } from '../../../src/cli/calibrate/liveness/options.ts';
import { chooseThreshold, ratesAt, type ScoresByClass } from '../../../src/cli/calibrate/liveness/rates.ts';
import { scoresByClass } from '../../../src/cli/calibrate/liveness/report.ts';
import { wilsonInterval } from '../../../src/cli/calibrate/statistics/intervals.ts';

const ascending = (count: number, from: number, to: number) =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

/** Spoofs of two kinds, of which masks score higher, and live faces that overlap with them. */
const scores: ScoresByClass = {
  live: ascending(101, 0.4, 0.9),
  spoofs: new Map([
    ['print', ascending(100, 0, 0.3)],
    ['mask', ascending(101, 0.1, 0.6)],
  ]),
};

describe('the rates at a threshold', () => {
  it('are those of the worst kind of spoofs, and of live faces, with their intervals', () => {
    const { apcer, worst_kind, bpcer, acer } = ratesAt(scores, 0.5);
    expect(worst_kind).toBe('mask');
    // The masks from 0.5 to 0.6, and the live faces below 0.5.
    expect([apcer.count, apcer.of]).toEqual([21, 101]);
    expect([bpcer.count, bpcer.of]).toEqual([20, 101]);
    expect(apcer.interval).toEqual(wilsonInterval(21, 101));
    expect(acer.rate).toBeCloseTo((21 + 20) / 202, 10);
    const [low, high] = acer.interval;
    expect(low).toBeGreaterThan((apcer.interval[0] + bpcer.interval[0]) / 2);
    expect(high).toBeLessThan((apcer.interval[1] + bpcer.interval[1]) / 2);
    expect(low).toBeLessThan(acer.rate);
    expect(high).toBeGreaterThan(acer.rate);
  });

  it('count a face that has exactly the threshold as live', () => {
    const tied: ScoresByClass = { live: [0.5], spoofs: new Map([['print', [0.5]]]) };
    expect(ratesAt(tied, 0.5)).toMatchObject({ apcer: { rate: 1 }, bpcer: { rate: 0 } });
    expect(ratesAt(tied, 0.5000001)).toMatchObject({ apcer: { rate: 0 }, bpcer: { rate: 1 } });
  });
});

describe('the chosen threshold', () => {
  it('accepts at most the given share of the worst kind, and refuses as few live faces as possible', () => {
    const { rates, evidence } = chooseThreshold(scores, { error: 'apcer', rate: 0.1 });
    expect(evidence.rule).toBe('rule_of_3');
    expect(rates?.apcer.rate).toBeLessThanOrEqual(0.1);
    // A little less would accept one more mask.
    expect(ratesAt(scores, (rates?.threshold ?? 0) - 0.005).apcer.rate).toBeGreaterThan(0.1);
  });

  it('refuses at most the given share of live faces, and accepts as few spoofs as possible', () => {
    const { rates } = chooseThreshold(scores, { error: 'bpcer', rate: 0.05 });
    expect(rates?.bpcer.rate).toBeLessThanOrEqual(0.05);
    expect(ratesAt(scores, (rates?.threshold ?? 0) + 0.005).bpcer.rate).toBeGreaterThan(0.05);
  });

  it('lies in the middle of the gap between classes that do not overlap', () => {
    const apart: ScoresByClass = {
      live: ascending(100, 0.8, 1),
      spoofs: new Map([['print', ascending(100, 0, 0.2)]]),
    };
    for (const error of ['apcer', 'bpcer'] as const) {
      const { rates } = chooseThreshold(apart, { error, rate: 0.05 });
      expect(rates).toMatchObject({ apcer: { rate: 0 }, bpcer: { rate: 0 } });
      expect(rates?.threshold).toBeCloseTo(0.5, 10);
    }
  });

  it('is missing where the smallest kind of spoofs cannot show the rate', () => {
    const few: ScoresByClass = { ...scores, spoofs: new Map([...scores.spoofs, ['screen', [0.1, 0.2]]]) };
    const { rates, evidence } = chooseThreshold(few, { error: 'apcer', rate: 0.1 });
    expect(rates).toBeUndefined();
    expect(evidence).toMatchObject({ rule: undefined, needed: 30, firm: 300 });
  });

  it('is never one that calls every face live', () => {
    const unsure: ScoresByClass = {
      live: [...Array(20).fill(0), ...ascending(80, 0.5, 0.9)],
      spoofs: new Map([['print', ascending(100, 0, 0.2)]]),
    };
    expect(chooseThreshold(unsure, { error: 'bpcer', rate: 0.1 }).rates).toBeUndefined();
  });

  it('is missing where no threshold reaches the rate', () => {
    const perfect: ScoresByClass = { live: [0.5], spoofs: new Map([['print', Array(10).fill(1)]]) };
    expect(chooseThreshold(perfect, { error: 'apcer', rate: 0.5 }).rates).toBeUndefined();
  });
});

it('sorts scores by class and kind', () => {
  const scored = (
    [
      [undefined, 0.9],
      ['print', 0.2],
      [undefined, 0.8],
      ['print', 0.1],
      ['mask', 0.5],
    ] as const
  ).map(([kind, score]) => ({ path: '', name: '', kind, score }));
  expect(scoresByClass({ scored })).toEqual({
    live: [0.8, 0.9],
    spoofs: new Map([
      ['print', [0.1, 0.2]],
      ['mask', [0.5]],
    ]),
  });
});

describe('the options', () => {
  const read = (...more: string[]) =>
    readLivenessOptions(['--liveness', '--live', 'a', '--spoof', 'b', ...more], {});

  it('have defaults', () => {
    expect(isLivenessCalibration(['--liveness'])).toBe(true);
    expect(isLivenessCalibration(['--pairs', 'x'])).toBe(false);
    expect(read()).toMatchObject({ target: { error: 'apcer', rate: 0.05 }, out: 'report', source: 'a, b' });
    expect(read('--bpcer', '0.02')?.target).toEqual({ error: 'bpcer', rate: 0.02 });
    expect(read('--help')).toBeUndefined();
  });

  it.each([
    [['--apcer', '0'], '--apcer is 0; accepted is a number above 0 and below 1.'],
    [['--bpcer', 'x'], '--bpcer is x;'],
    [['--apcer', '0.1', '--bpcer', '0.1'], 'not both'],
    [['--pairs', 'x'], '--pairs'],
  ])('%j are refused', (more, sentence) => {
    expect(() => read(...more)).toThrow(sentence);
  });

  it('need both folders', () => {
    expect(() => readLivenessOptions(['--liveness', '--live', 'a'], {})).toThrow('--live and --spoof');
  });
});
