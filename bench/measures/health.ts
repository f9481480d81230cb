import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { PictureSize } from '../options.ts';
import { readMetrics } from '../servers/service.ts';
import { type LatencySummary, summariseLatencies } from '../statistics.ts';
import type { ServerContext } from './context.ts';
import { requestSet } from './request-sets.ts';

const PROBER = fileURLToPath(new URL('../load/prober.js', import.meta.url));
/**
 * Node's monitor samples with a timer and reports the whole interval, so an idle event loop shows its resolution.
 * Source: prom-client, lib/metrics/eventLoopLag.js (eventLoopMonitoringPrecision).
 */
const MONITOR_RESOLUTION_MS = 10;

/** How responsive the service's main thread was. */
export interface Responsiveness {
  /** Latency of `/v1/health`. */
  health: LatencySummary;
  /** In milliseconds. */
  eventLoopDelay: { p50: number; p99: number; max: number };
}

export interface HealthRow extends Responsiveness {
  size: PictureSize;
  connections: number;
}

/** Measures how responsive the service's main thread is during `work`. */
export async function watchMainThread<Result>(
  address: string,
  work: () => Promise<Result>,
): Promise<Responsiveness & { result: Result }> {
  const prober = fork(PROBER, [`${address}/v1/health`]);
  // Work starts after the prober has, so that starting it is not measured.
  await once(prober, 'message');
  const probed = once(prober, 'message') as Promise<[number[]]>;
  // Reading the metrics resets the monitor.
  await readMetrics(address);
  const result = await work();
  const metric = await readMetrics(address);
  prober.send('stop');
  const [health] = await probed;
  const delay = (name: string) =>
    Math.max(0, metric(`nodejs_eventloop_lag_${name}_seconds`) * 1000 - MONITOR_RESOLUTION_MS);
  return {
    result,
    health: summariseLatencies(health),
    eventLoopDelay: { p50: delay('p50'), p99: delay('p99'), max: delay('max') },
  };
}

export async function measureHealth(
  context: ServerContext,
  { sizes, seconds }: { sizes: readonly PictureSize[]; seconds: number },
): Promise<HealthRow[]> {
  const rows: HealthRow[] = [];
  const { address } = context.servers.service;
  for (const size of sizes) {
    for (const connections of [8, 32]) {
      context.log(`health: ${size}, ${connections} connections`);
      const load = await requestSet(context, { size, kind: 'photographs', transport: 'json' });
      const work = () => context.generator.closedLoop({ address, ...load, connections, seconds });
      const { health, eventLoopDelay } = await watchMainThread(address, work);
      rows.push({ size, connections, health, eventLoopDelay });
    }
  }
  return rows;
}
