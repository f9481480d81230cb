import { describe, expect, it } from 'vitest';
import { benchModule } from './bench-module.ts';

const { FLOORS, judgeFloors } = await benchModule('floors.mjs');

const slices = (...throughputs: number[]) => ({
  slices: throughputs.map((throughput) => ({ throughput, p50: 1000 / throughput })),
});

function judge(results: object, figure: RegExp) {
  return judgeFloors(results).find((row: { figure: string }) => figure.test(row.figure));
}

describe('floors', () => {
  it('that were not measured are neither met nor missed', () => {
    const verdicts = judgeFloors({}).map(({ verdict }: { verdict: string }) => verdict);
    expect(verdicts).toEqual(FLOORS.map(() => 'not measured'));
  });

  it('are judged by the median of the ratios of pairs', () => {
    const duel = { size: '250', kind: 'photographs', connections: 8 };
    const closed = [{ ...duel, systems: { service: slices(30, 60, 30), peer2: slices(20, 40, 30) } }];
    const row = judge({ closed }, /^throughput 250×250, 8 connections: service beside two-process peer/);
    expect(row).toMatchObject({ verdict: 'met', floor: 1.45, measured: { median: 1.5 } });
  });

  it('of a latency are upper bounds', () => {
    const duel = { size: '250', kind: 'photographs', connections: 1 };
    const closed = [{ ...duel, systems: { service: slices(20), peer2: slices(15) } }];
    expect(judge({ closed }, /^median of a lone request 250/)).toMatchObject({
      verdict: 'missed',
      bound: '≤',
    });
  });
});
