import { setTimeout as sleep } from 'node:timers/promises';
import { interleave } from '../interleave.ts';
import { median, summarise, summariseLatencies } from '../statistics.ts';
import { DUELS } from './duels.ts';
import { requestSet } from './request-sets.ts';

/** Decoding and sending 12 megapixels takes so long that a slice must be longer to hold enough answers. */
const LARGE_SLICE_FACTOR = 2;
/** A machine busy with something else for a second must not decide a figure. */
const LEAST_ROUNDS = 3;
const QUICK_ROUNDS = 2;
const SETTLE_MS = 1_000;
/**
 * V8 compiles what is used often, and is not done with it before some thousand requests, of which a service has seen more
 * after a minute: the compiling takes up to a tenth of the cores until then.
 */
const WARM_UP = { connections: 8, seconds: 30, maxRequests: 1_500 };
const QUICK_WARM_UP = { ...WARM_UP, seconds: 10, maxRequests: 500 };

/**
 * The service over HTTP, closed loop, in short slices that alternate with those of what it is compared with.
 *
 * @param context {systems: name → {address}, twoThreads, hasFast, generator, album, log}
 */
export async function measureClosedLoop(context, { seconds, slice, quick }) {
  const results = [];
  const duels = DUELS.filter(({ size, detail }) => context.album[size] !== undefined && !(quick && detail));
  const ordinary = duels.filter(({ size }) => size !== '12mp');
  if (duels.length > 0) await warmUp(context, duels[0], quick ? QUICK_WARM_UP : WARM_UP);
  for (const duel of ordinary) results.push(...(await measureDuel(context, duel, { seconds, slice, quick })));
  await sleep(SETTLE_MS);
  for (const server of Object.values(context.systems)) server.noteMemory('ordinary');
  const large = { seconds, slice: slice * LARGE_SLICE_FACTOR, quick };
  for (const duel of duels.filter((each) => !ordinary.includes(each)))
    results.push(...(await measureDuel(context, duel, large)));
  return results;
}

/** Each system alike, with the pictures of the first duel. */
async function warmUp(context, { size, kind }, load) {
  context.log('closed loop: warming up');
  for (const { address } of Object.values(context.systems)) {
    const set = await requestSet(context, { size, kind, transport: 'json' });
    await context.generator.closedLoop({ address, ...set, ...load });
  }
}

async function measureDuel(context, duel, { seconds, slice, quick }) {
  const { size, kind, connections, weight } = duel;
  const contestants = duel.contestants.filter((contestant) => isThere(contestant, context));
  // The service beside nothing but itself was measured already, unless it is its only duel of that sort.
  if (contestants.length < 2 && duel.contestants.some(({ name }) => name !== undefined)) return [];
  context.log(`closed loop: ${size} ${kind}, ${connections} connections`);
  const rounds = quick ? QUICK_ROUNDS : Math.max(LEAST_ROUNDS, Math.round((seconds * weight) / slice));
  const measures = {};
  for (const { name, system, transport = 'json' } of contestants) {
    measures[name ?? system] =
      system === 'reference'
        ? async () => ({ throughput: await context.twoThreads.throughput(slice), ms: [], failures: {} })
        : await prepareSlice(context, { system, size, kind, transport, connections, seconds: slice });
  }
  const slices = await interleave(measures, { rounds, most: rounds });
  const systems = Object.entries(slices).map(([name, list]) => [name, summariseSlices(list)]);
  return [{ size, kind, connections, systems: Object.fromEntries(systems) }];
}

function isThere({ system, transport }, { systems, twoThreads, hasFast }) {
  if (transport === 'fast' && !hasFast) return false;
  return system === 'reference' ? twoThreads !== undefined : systems[system] !== undefined;
}

async function prepareSlice(context, { system, size, kind, transport, connections, seconds }) {
  const { address } = context.systems[system];
  const load = { address, ...(await requestSet(context, { size, kind, transport })), connections };
  // Opens the connections and warms what this kind of picture needs.
  await context.generator.closedLoop({ ...load, seconds, maxRequests: connections });
  return async () => {
    const { ms, failures, elapsed } = await context.generator.closedLoop({ ...load, seconds });
    return { throughput: (ms.length * 1000) / elapsed, ms, failures };
  };
}

function summariseSlices(slices) {
  const failures = {};
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
