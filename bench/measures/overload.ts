import { type Goodput, goodputUnder, sumOfWork, type Work } from '../goodput.ts';
import { interleave } from '../interleave.ts';
import type { Failures } from '../load/closed-loop.ts';
import type { PackOptions, PictureSize } from '../options.ts';
import { ratiosOfPairs, type Spread, summarise } from '../statistics.ts';
import type { ServerContext } from './context.ts';
import { requestSet } from './request-sets.ts';

/** Requests of the overload for each one that the service can answer. */
const OVERLOAD = 10;
const CONNECTIONS = 8;
const MIN_ROUNDS = 3;
const QUICK_ROUNDS = 1;

/** Throughput under more load than the service can carry, compared with its capacity. */
export interface OverloadRow {
  size: PictureSize;
  /** Pictures a second in a closed loop. */
  capacity: Spread | undefined;
  /** Requests for each one that is answered with 200 in the closed loop. */
  offered: Spread | undefined;
  /** Pictures a second under overload, over the capacity. What the load generator takes of the processors is missing. */
  throughput: Spread | undefined;
  /** Without what the load generator takes: from all slices, since a slice has few answers. */
  work: Goodput;
  /** Processors that the service uses. */
  processors: { capacity: Spread | undefined; overload: Spread | undefined };
  /** Answers other than 200. */
  failures: Failures;
}

interface Slice extends Work {
  failures: Failures;
  seconds: number;
}

/** Measures the service at its capacity and under ten times as much, in slices that alternate. */
export async function measureOverload(
  context: ServerContext,
  { sizes, seconds, slice, quick }: Pick<PackOptions, 'sizes' | 'seconds' | 'slice' | 'quick'>,
): Promise<OverloadRow[]> {
  const rows: OverloadRow[] = [];
  for (const size of sizes.filter((one) => one !== '12mp')) {
    context.log(`overload: ${size}`);
    rows.push(await measureSize(context, size, { seconds, slice, quick }));
  }
  return rows;
}

async function measureSize(
  { servers: { service }, generator, ...context }: ServerContext,
  size: PictureSize,
  { seconds, slice, quick }: Pick<PackOptions, 'seconds' | 'slice' | 'quick'>,
): Promise<OverloadRow> {
  const set = await requestSet({ generator, ...context }, { size, kind: 'photographs', transport: 'json' });
  const load = { address: service.address, ...set, seconds: slice };
  const closed = () => generator.closedLoop({ ...load, connections: CONNECTIONS });
  const measure = async (run: typeof closed): Promise<Slice> => {
    const before = service.processorSeconds;
    const { ms, failures, elapsed, ...rest } = await run();
    const answered = ms.length - ('unfinished' in rest ? Number(rest.unfinished) : 0);
    const refused = Object.values(failures).reduce((sum, count) => sum + count, 0);
    return {
      answered,
      refused,
      failures,
      seconds: elapsed / 1000,
      processorSeconds: service.processorSeconds - before,
    };
  };
  const warm = await measure(closed);
  const rate = (OVERLOAD * Math.max(1, warm.answered)) / warm.seconds;
  const open = () => generator.openLoop({ ...load, rate });
  const rounds = quick ? QUICK_ROUNDS : Math.max(MIN_ROUNDS, Math.round(seconds / slice));
  const { capacity, overload } = await interleave(
    { capacity: () => measure(closed), overload: () => measure(open) },
    { minRounds: rounds, maxRounds: rounds },
  );
  const ratio = (value: (slice: Slice) => number) =>
    summarise(ratiosOfPairs(overload.map(value), capacity.map(value)));
  const perSecond = ({ answered, seconds: wall }: Slice) => answered / wall;
  const processors = ({ processorSeconds, seconds: wall }: Slice) => processorSeconds / wall;
  const failures: Failures = {};
  for (const one of [...capacity, ...overload]) {
    for (const [kind, count] of Object.entries(one.failures)) failures[kind] = (failures[kind] ?? 0) + count;
  }
  return {
    size,
    capacity: summarise(capacity.map(perSecond)),
    offered: ratio(({ answered, refused, seconds: wall }) => (answered + refused) / wall),
    throughput: ratio(perSecond),
    work: goodputUnder(OVERLOAD, sumOfWork(capacity), sumOfWork(overload)),
    processors: {
      capacity: summarise(capacity.map(processors)),
      overload: summarise(overload.map(processors)),
    },
    failures,
  };
}
