import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { readMetrics } from '../servers/service.ts';
import { summariseLatencies } from '../statistics.ts';
import { requestSet } from './request-sets.ts';

const PROBER = fileURLToPath(new URL('../load/prober.ts', import.meta.url));
/**
 * Node's monitor samples with a timer and reports the whole interval, so an idle loop shows its resolution.
 * Source: prom-client, lib/metrics/eventLoopLag.js (eventLoopMonitoringPrecision).
 */
const MONITOR_RESOLUTION_MS = 10;

/** How the service's main thread feels while something is done: health's latency and the event loop's delay. */
export async function watchMainThread(address, work) {
  const prober = fork(PROBER, [`${address}/v1/health`]);
  // Its own start must not be in what it measures.
  await once(prober, 'message');
  const probed = once(prober, 'message');
  // Reading the metrics resets the monitor.
  await readMetrics(address);
  const result = await work();
  const metric = await readMetrics(address);
  prober.send('stop');
  const [health] = await probed;
  const delay = (name) =>
    Math.max(0, metric(`nodejs_eventloop_lag_${name}_seconds`) * 1000 - MONITOR_RESOLUTION_MS);
  return {
    result,
    health: summariseLatencies(health),
    eventLoopDelay: { p50: delay('p50'), p99: delay('p99'), max: delay('max') },
  };
}

export async function measureHealth(context, { sizes, seconds }) {
  const rows = [];
  const { address } = context.systems.service;
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
