import { describe, expect, it } from 'vitest';
import { FLOORS, judgeFloors, type Verdict } from '../../bench/floors.ts';
import type { ScenarioResult, SystemResult } from '../../bench/measures/closed-loop.ts';
import { summariseLatencies } from '../../bench/statistics.ts';

function systemWith(...throughputs: number[]): SystemResult {
  const slices = throughputs.map((throughput) => ({ throughput, p50: 1000 / throughput }));
  return { throughput: undefined, latency: summariseLatencies([]), failures: {}, slices };
}

function judge(closed: ScenarioResult, figure: string): Verdict | undefined {
  return judgeFloors({ closed: [closed] }).find((row) => row.figure === figure);
}

describe('floors', () => {
  it('that were not measured are neither met nor missed', () => {
    expect(judgeFloors({}).map(({ verdict }) => verdict)).toEqual(FLOORS.map(() => 'not measured'));
  });

  it('are judged by the median of the ratios of pairs', () => {
    const systems = { service: systemWith(30, 60, 30), peer2: systemWith(20, 40, 30) };
    const closed = { size: '250', kind: 'photographs', connections: 8, systems } as const;
    const row = judge(closed, 'throughput 250×250, 8 connections: service vs. two-process peer');
    expect(row).toMatchObject({ verdict: 'met', floor: 1.45, measured: { median: 1.5 } });
  });

  it('are upper bounds for latency', () => {
    const systems = { service: systemWith(20), peer2: systemWith(15) };
    const closed = { size: '250', kind: 'photographs', connections: 1, systems } as const;
    const row = judge(closed, 'median latency 250×250, 1 connection: service vs. two-process peer');
    expect(row).toMatchObject({ verdict: 'missed', bound: '≤' });
  });
});
