import type { Failures } from '../load/closed-loop.ts';
import type { PictureSize } from '../options.ts';
import { type LatencySummary, percentile, summariseLatencies } from '../statistics.ts';
import { type ServerContext, type ServerName, serversOf } from './context.ts';
import { requestSet } from './request-sets.ts';

const FRACTIONS = [0.3, 0.5, 0.7, 0.85, 0.95, 1.05];
const QUICK_FRACTIONS = [0.4, 0.7, 0.95];

/** Answers per second in the closed loop. */
export type Capacities = Partial<Record<ServerName, number>>;

export interface OpenLoopRow {
  system: ServerName;
  size: PictureSize;
  /** Of the system's capacity. */
  fraction: number;
  /** Requests per second. */
  rate: number;
  /** Answers per second. */
  answered: number;
  due: number;
  unfinished: number;
  failures: Failures;
  /** Percentiles of any number of answers, for the curve. */
  curve: { p50: number | undefined; p95: number | undefined };
  latency: LatencySummary;
}

interface Options {
  capacities: Capacities;
  size: PictureSize;
  seconds: number;
  quick: boolean;
}

/** Measures the servers over HTTP in an open loop, at fixed fractions of their capacity. */
export async function measureOpenLoop(
  context: ServerContext,
  { capacities, size, seconds, quick }: Options,
): Promise<OpenLoopRow[]> {
  const load = await requestSet(context, { size, kind: 'photographs', transport: 'json' });
  const rows: OpenLoopRow[] = [];
  for (const fraction of quick ? QUICK_FRACTIONS : FRACTIONS) {
    for (const [system, { address }] of serversOf(context)) {
      const capacity = capacities[system];
      if (capacity === undefined) continue;
      context.log(`open loop: ${system} at ${Math.round(fraction * 100)} % of its capacity`);
      const rate = fraction * capacity;
      const outcome = await context.generator.openLoop({ ...load, address, rate, seconds });
      const answered = outcome.ms.length - outcome.unfinished;
      rows.push({
        system,
        size,
        fraction,
        rate,
        answered: (answered * 1000) / Math.max(outcome.elapsed, 1),
        due: outcome.due,
        unfinished: outcome.unfinished,
        failures: outcome.failures,
        curve: { p50: percentile(outcome.ms, 50), p95: percentile(outcome.ms, 95) },
        latency: summariseLatencies(outcome.ms),
      });
    }
  }
  return rows;
}
