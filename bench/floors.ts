import type { SystemResult } from './measures/closed-loop.ts';
import type { CompareRow } from './measures/compare.ts';
import type { SystemName } from './measures/scenarios.ts';
import type { PictureSize } from './options.ts';
import type { PictureKind } from './pictures/test-pictures.ts';
import type { Measurements } from './results.ts';
import { ratiosOfPairs, type Spread, summarise } from './statistics.ts';

type Measure = (results: Measurements) => Spread | undefined;

/** A performance target. All are ratios within one run but the last ones, which are absolute values. */
interface Floor {
  figure: string;
  bound: '≥' | '≤';
  floor: number;
  /** A target beyond the floor. */
  aim?: number;
  measure: Measure;
}

export interface Verdict extends Omit<Floor, 'measure'> {
  /** Undefined if the run did not measure it. */
  measured: Spread | undefined;
  verdict: 'met' | 'missed' | 'not measured';
}

/** Ratio of the service's throughput, or a variant's, to another system's, at 8 connections. */
function throughputRatio(
  size: PictureSize,
  ours: SystemName,
  theirs: SystemName,
  kind: PictureKind = 'photographs',
): Measure {
  return (results) => {
    const systems = findSystems(results, { size, kind, connections: 8 });
    return ratioOfSlices(systems?.[ours], systems?.[theirs], 'throughput');
  };
}

/** Ratio of the service's median latency to that of the two-process peer, at 1 connection. */
function latencyRatio(size: PictureSize): Measure {
  return (results) => {
    const systems = findSystems(results, { size, kind: 'photographs', connections: 1 });
    return ratioOfSlices(systems?.service, systems?.peer2, 'p50');
  };
}

function findSystems(
  { closed }: Measurements,
  wanted: { size: PictureSize; kind: PictureKind; connections: number },
): Partial<Record<SystemName, SystemResult>> | undefined {
  return closed?.find(
    ({ size, kind, connections }) =>
      size === wanted.size && kind === wanted.kind && connections === wanted.connections,
  )?.systems;
}

function ratioOfSlices(
  ours: SystemResult | undefined,
  theirs: SystemResult | undefined,
  value: 'throughput' | 'p50',
): Spread | undefined {
  if (ours === undefined || theirs === undefined) return undefined;
  const column = ({ slices }: SystemResult) => slices.map((slice) => slice[value]);
  return summarise(ratiosOfPairs(column(ours), column(theirs)));
}

/** The least, over the sizes, of what remains of the capacity under ten times as much load. */
function goodputUnderOverload({ overload }: Measurements): Spread | undefined {
  return overload && single(Math.min(...overload.map(({ work }) => work.goodput)));
}

/** Median time of compare with 10,000 references, without the first request. */
function compareTime(format: string): Measure {
  const isWanted = (row: CompareRow) => row.count === 10_000 && row.format === format;
  return ({ compare }) => compare?.find(isWanted)?.later;
}

function timeAroundInference(size: PictureSize): Measure {
  return ({ stages }) => stages?.find((row) => row.size === size && row.format === 'JPEG')?.around;
}

function memoryRatio({ memory }: Measurements): Spread | undefined {
  const [ours, theirs] = [memory?.service?.ordinary, memory?.peer2?.ordinary];
  return ours === undefined || theirs === undefined ? undefined : single(ours / theirs);
}

function longestEventLoopDelay({ compare }: Measurements): Spread | undefined {
  return compare && single(Math.max(...compare.map(({ eventLoopDelay }) => eventLoopDelay.max)));
}

function single(value: number | undefined): Spread | undefined {
  return value === undefined || !Number.isFinite(value)
    ? undefined
    : { median: value, low: value, high: value };
}

export const FLOORS: readonly Floor[] = [
  {
    figure: 'recogniser: rewritten vs. untouched graph, one thread',
    bound: '≥',
    floor: 1.6,
    measure: ({ inference }) => inference?.recogniser?.speedup,
  },
  {
    figure: 'detector at 640: rewritten vs. untouched graph, one thread',
    bound: '≥',
    floor: 1.15,
    measure: ({ inference }) => inference?.['detector 640']?.speedup,
  },
  {
    figure: 'throughput 250×250, 8 connections: service vs. untouched ONNX Runtime on two threads',
    bound: '≥',
    floor: 1.25,
    measure: throughputRatio('250', 'service', 'reference'),
  },
  {
    figure: 'throughput 250×250, 8 connections: service vs. two-process peer',
    bound: '≥',
    floor: 1.45,
    aim: 1.6,
    measure: throughputRatio('250', 'service', 'peer2'),
  },
  {
    figure: 'throughput 1280×960, 8 connections: service vs. two-process peer',
    bound: '≥',
    floor: 1.6,
    aim: 1.8,
    measure: throughputRatio('1280', 'service', 'peer2'),
  },
  {
    figure: 'median latency 250×250, 1 connection: service vs. two-process peer',
    bound: '≤',
    floor: 0.6,
    measure: latencyRatio('250'),
  },
  {
    figure: 'median latency 1280×960, 1 connection: service vs. two-process peer',
    bound: '≤',
    floor: 0.6,
    measure: latencyRatio('1280'),
  },
  {
    figure: 'throughput 250×250, one large face: detection=fast vs. two-process peer',
    bound: '≥',
    floor: 3,
    aim: 3.5,
    measure: throughputRatio('250', 'fast', 'peer2', 'portraits'),
  },
  {
    figure: 'throughput 1280×960, one large face: detection=fast vs. two-process peer',
    bound: '≥',
    floor: 3,
    aim: 3.5,
    measure: throughputRatio('1280', 'fast', 'peer2', 'portraits'),
  },
  {
    figure: 'goodput under ten times the load vs. capacity, without the time of the load generator',
    bound: '≥',
    floor: 0.85,
    measure: goodputUnderOverload,
  },
  {
    figure: 'memory after ordinary pictures: service vs. two-process peer',
    bound: '≤',
    floor: 0.4,
    measure: memoryRatio,
  },
  {
    figure: 'all but inference, 250×250 JPEG, as a share of untouched ONNX Runtime',
    bound: '≤',
    floor: 0.1,
    measure: timeAroundInference('250'),
  },
  {
    figure: 'all but inference, 1280×960 JPEG, as a share of untouched ONNX Runtime',
    bound: '≤',
    floor: 0.25,
    measure: timeAroundInference('1280'),
  },
  {
    figure: 'compare with 10,000 references as base64, ms',
    bound: '≤',
    floor: 150,
    measure: compareTime('base64'),
  },
  {
    figure: 'compare with 10,000 references as numbers, ms',
    bound: '≤',
    floor: 1000,
    measure: compareTime('numbers'),
  },
  {
    figure: 'longest event-loop delay during any compare, ms',
    bound: '≤',
    floor: 20,
    measure: longestEventLoopDelay,
  },
  {
    figure: 'process start to ready, ms',
    bound: '≤',
    floor: 1000,
    measure: ({ start }) => start?.service?.warm,
  },
  {
    figure: 'memory of two workers after ordinary pictures, MiB',
    bound: '≤',
    floor: 300,
    measure: ({ memory }) => single(memory?.service?.ordinary),
  },
];

/** A floor is met by the median. */
export function judgeFloors(results: Measurements): Verdict[] {
  return FLOORS.map(({ measure, ...floor }) => {
    const measured = measure(results);
    return { ...floor, measured, verdict: judge(floor, measured) };
  });
}

function judge({ bound, floor }: Omit<Floor, 'measure'>, measured: Spread | undefined): Verdict['verdict'] {
  if (measured === undefined) return 'not measured';
  return (bound === '≥' ? measured.median >= floor : measured.median <= floor) ? 'met' : 'missed';
}
