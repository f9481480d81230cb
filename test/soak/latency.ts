import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { quantile } from '../support/numbers.ts';
import { endChild, spawnChild } from '../support/processes/child-process.ts';
import { ROOT } from '../support/shared.ts';

/** In milliseconds. */
export interface Latency {
  p50: number;
  p99: number;
  /** How many were measured. */
  count: number;
}

export const latencyOf = (ms: readonly number[]): Latency => {
  const sorted = ms.toSorted((p, q) => p - q);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), count: sorted.length };
};

export const written = ({ p50, p99 }: Latency) => `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;

/** A server that computes nothing: its latency is what the machine adds to any answer. */
const CONTROL = `const server = require('node:http').createServer((_, answer) => answer.end('{}'));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

/**
 * Measures the latency of /livez during `work`, and that of a server that computes nothing. Both are measured by processes
 * of their own, so that generating load does not count.
 */
export async function latencyDuring<Result>(
  address: string,
  work: () => Promise<Result>,
): Promise<{ result: Result; service: Latency; control: Latency }> {
  const control = spawnChild(process.execPath, ['-e', CONTROL], { stdio: ['ignore', 'pipe', 'ignore'] });
  const probers: ChildProcess[] = [];
  try {
    const [port] = await once(control.stdout as NodeJS.ReadableStream, 'data');
    const urls = [`${address}/livez`, `http://127.0.0.1:${String(port).trim()}/`];
    for (const url of urls) {
      const args = [join(ROOT, 'build/bench/load/prober.js'), url];
      probers.push(spawnChild(process.execPath, args, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] }));
    }
    // Each sends "ready", and its latencies when it is told to stop.
    await Promise.all(probers.map((prober) => once(prober, 'message')));
    const result = await work();
    const [service, idle] = await Promise.all(
      probers.map(async (prober) => {
        const last = once(prober, 'message');
        prober.send('stop');
        const [ms]: number[][] = await last;
        return latencyOf(ms ?? []);
      }),
    );
    return { result, service: service as Latency, control: idle as Latency };
  } finally {
    await Promise.all([control, ...probers].map(endChild));
  }
}
