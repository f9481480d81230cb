import { setTimeout as sleep } from 'node:timers/promises';
import { interleave } from '../interleave.ts';
import type { ClosedLoop, Failures } from '../load/closed-loop.ts';
import type { PackOptions, PictureSize } from '../options.ts';
import type { PictureKind } from '../pictures/test-pictures.ts';
import type { ServerProcess } from '../servers/server-process.ts';
import { type LatencySummary, median, type Summary, summarise, summariseLatencies } from '../statistics.ts';
import { type ServerContext, serversOf } from './context.ts';
import { type PictureRequest, requestSet } from './request-sets.ts';
import { LARGE_SCENARIOS, SCENARIOS, type Scenario, type SystemName } from './scenarios.ts';

/** Decoding and sending 12 megapixels takes long; a longer slice contains enough answers. */
const LARGE_SLICE_FACTOR = 2;
/** A disturbance of one second must not decide a figure. */
const MIN_ROUNDS = 3;
const QUICK_ROUNDS = 2;
const SETTLE_MS = 1_000;
/**
 * V8 compiles hot functions for the first thousand requests or so, which takes up to a tenth of the cores. A service has
 * passed that after a minute.
 */
const WARM_UP: ClosedLoop = { connections: 8, seconds: 30, maxRequests: 1_500 };
/** Shorter when a point takes less than a second. */
const QUICK_WARM_UP: ClosedLoop = { connections: 8, seconds: 10, maxRequests: 500 };

interface Slice {
  /** Answers per second. */
  throughput: number;
  ms: number[];
  failures: Failures;
}

export interface SystemResult {
  throughput: Summary | undefined;
  latency: LatencySummary;
  failures: Failures;
  /** In the order of measurement; slices with the same index were measured next to each other. */
  slices: { throughput: number; p50: number | undefined }[];
}

export interface ScenarioResult {
  size: PictureSize;
  kind: PictureKind;
  connections: number;
  systems: Partial<Record<SystemName, SystemResult>>;
}

interface SliceOptions extends PictureRequest {
  connections: number;
  seconds: number;
}

type Options = Pick<PackOptions, 'seconds' | 'slice' | 'quick' | 'large'>;

/** Measures the service over HTTP in a closed loop, in short slices that alternate with those of the other systems. */
export async function measureClosedLoop(context: ServerContext, options: Options): Promise<ScenarioResult[]> {
  const { seconds, slice, quick } = options;
  const scenarios = (options.large ? LARGE_SCENARIOS : SCENARIOS).filter(
    ({ size, detail }) => context.pictures.has(size) && !(quick && detail),
  );
  const [first] = scenarios;
  const quickWarmUp = { ...QUICK_WARM_UP, seconds: Math.min(QUICK_WARM_UP.seconds, 10 * seconds) };
  // A large pack answers few requests, but V8 hardly takes part in its time.
  if (first && !options.large) await warmUp(context, first, quick ? quickWarmUp : WARM_UP);
  const results: ScenarioResult[] = [];
  for (const scenario of scenarios.filter(({ size }) => size !== '12mp'))
    results.push(await measureScenario(context, scenario, options));
  await sleep(SETTLE_MS);
  for (const [, server] of serversOf(context)) server.recordMemory('ordinary');
  const large = { ...options, slice: slice * LARGE_SLICE_FACTOR };
  for (const scenario of scenarios.filter(({ size }) => size === '12mp'))
    results.push(await measureScenario(context, scenario, large));
  return results;
}

async function warmUp(context: ServerContext, { size, kind }: Scenario, load: ClosedLoop): Promise<void> {
  context.log('closed loop: warming up');
  for (const [, { address }] of serversOf(context)) {
    const set = await requestSet(context, { size, kind, transport: 'json' });
    await context.generator.closedLoop({ address, ...set, ...load });
  }
}

async function measureScenario(
  context: ServerContext,
  { size, kind, connections, weight, variants }: Scenario,
  { seconds, slice, quick }: Omit<Options, 'large'>,
): Promise<ScenarioResult> {
  context.log(`closed loop: ${size} ${kind}, ${connections} connections`);
  const measures: Record<string, () => Promise<Slice>> = {};
  for (const variant of variants) {
    if (variant === 'reference') {
      measures.reference = () => measureReference(context, slice);
      continue;
    }
    const { name, transport } = variant;
    const server = context.servers[variant.server];
    if (server === undefined) continue;
    const options = { size, kind, transport, connections, seconds: slice };
    measures[name] = await prepareSlices(context, server, options);
  }
  const rounds = quick ? QUICK_ROUNDS : Math.max(MIN_ROUNDS, Math.round((seconds * weight) / slice));
  const slices = await interleave(measures, { minRounds: rounds, maxRounds: rounds });
  const systems = Object.entries(slices).map(([name, list]) => [name, summariseSlices(list)]);
  return { size, kind, connections, systems: Object.fromEntries(systems) };
}

async function measureReference({ reference }: ServerContext, seconds: number): Promise<Slice> {
  return { throughput: await reference.measureThroughput(seconds), ms: [], failures: {} };
}

async function prepareSlices(
  context: ServerContext,
  server: ServerProcess,
  { size, kind, transport, connections, seconds }: SliceOptions,
): Promise<() => Promise<Slice>> {
  const set = await requestSet(context, { size, kind, transport });
  const load = { address: server.address, ...set, connections, seconds };
  // Opens the connections, and warms up what this kind of picture needs.
  await context.generator.closedLoop({ ...load, maxRequests: connections });
  return async () => {
    const { ms, failures, elapsed } = await context.generator.closedLoop(load);
    return { throughput: (ms.length * 1000) / elapsed, ms, failures };
  };
}

function summariseSlices(slices: readonly Slice[]): SystemResult {
  const failures: Failures = {};
  for (const slice of slices) {
    for (const [kind, count] of Object.entries(slice.failures))
      failures[kind] = (failures[kind] ?? 0) + count;
  }
  return {
    throughput: summarise(slices.map(({ throughput }) => throughput)),
    latency: summariseLatencies(slices.flatMap(({ ms }) => ms)),
    failures,
    slices: slices.map(({ throughput, ms }) => ({ throughput, p50: median(ms) })),
  };
}
