import { type ChildProcess, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { closedLoop, type Outcome, tally } from '../support/http/load.ts';
import { blobsPng } from '../support/pictures.ts';
import { endChild, spawnChild } from '../support/processes/child-process.ts';
import { freePort } from '../support/processes/free-port.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';
import { ROOT } from '../support/shared.ts';

const hasHaproxy = spawnSync('haproxy', ['-v']).status === 0;
if (!hasHaproxy)
  console.warn('HAProxy is not installed: the tests behind a balancer are skipped (apt-get install haproxy)');

/** The balancer stops using a draining replica after two seconds, as docs/OPERATIONS.md explains; more on a busy machine. */
const SHUTDOWN_DELAY_MS = 6000;
const CALLERS = 4;

/** The shipped configuration, with two known replicas instead of those that a DNS name lists. */
function configurationFor(replicaPorts: number[]): string {
  const shipped = readFileSync(join(ROOT, 'deploy/haproxy/haproxy.cfg'), 'utf8');
  const servers = replicaPorts.map((port) => `    server replica${port} 127.0.0.1:${port}`).join('\n');
  const configuration = shipped.replace(/^ +server-template .*$/m, servers);
  expect(configuration).toContain(servers);
  return configuration;
}

describe.skipIf(!hasHaproxy)('two replicas behind HAProxy', () => {
  let folder: string;
  let balancer: ChildProcess;
  let ports: number[];
  let address: string;
  let statistics: string;
  const replicas = new Map<number, ServiceProcess>();

  const start = (port: number) => {
    const settings = { PORT: String(port), SHUTDOWN_DELAY_MS: String(SHUTDOWN_DELAY_MS) };
    replicas.set(port, new ServiceProcess(settings));
  };
  const replica = (port: number) => replicas.get(port) as ServiceProcess;

  /** Whether the balancer sends requests to this replica. */
  async function isUsed(port: number): Promise<boolean> {
    const csv = await fetch(`${statistics}/;csv`).then(
      (answer) => answer.text(),
      () => '',
    );
    const rows = csv.split('\n').filter((row) => row.startsWith(`replicas,replica${port},`));
    return rows.some((row) => row.includes(',UP,'));
  }
  const untilUsed = (port: number) => vi.waitUntil(() => isUsed(port), { timeout: 60_000, interval: 100 });

  beforeAll(async () => {
    ports = [await freePort(), await freePort()];
    const [bind, statsBind] = [await freePort(), await freePort()];
    address = `http://127.0.0.1:${bind}`;
    statistics = `http://127.0.0.1:${statsBind}`;
    folder = await mkdtemp(join(tmpdir(), 'haproxy-'));
    const file = join(folder, 'haproxy.cfg');
    await writeFile(file, configurationFor(ports));
    const env = { PATH: process.env.PATH, BIND: `127.0.0.1:${bind}`, STATS_BIND: `127.0.0.1:${statsBind}` };
    const check = spawnSync('haproxy', ['-c', '-f', file], { env, encoding: 'utf8' });
    expect(check.stderr + check.stdout).toContain('Configuration file is valid');
    for (const port of ports) start(port);
    balancer = spawnChild('haproxy', ['-f', file], { env, stdio: 'ignore' });
    for (const port of ports) await untilUsed(port);
  });
  afterAll(async () => {
    await Promise.all([...replicas.values()].map((service) => service.end()));
    if (balancer) await endChild(balancer);
    await rm(folder, { recursive: true, force: true });
  });

  /** Sends small and large uploads until `stop`, while `disturb` runs: the balancer can repeat only the small ones. */
  async function underLoad(disturb: () => Promise<void>): Promise<Outcome[]> {
    const bodies = [await blobsPng(1, 64, 48), await blobsPng(2, 400, 300)];
    const requests = bodies.map((body) => ({ headers: { 'Content-Type': 'image/png' }, body }));
    let count = 0;
    let stopped = false;
    const until = ({ length }: readonly Outcome[]) => {
      count = length;
      return stopped;
    };
    const load = closedLoop({ url: `${address}/v1/embed`, requests, callers: CALLERS, until });
    const more = (requests: number) => {
      const enough = count + requests;
      return expect.poll(() => count).toBeGreaterThanOrEqual(enough);
    };
    try {
      await more(50);
      await disturb();
      await more(50);
    } finally {
      stopped = true;
    }
    return load;
  }

  it('are restarted one after the other by SIGTERM, and no request fails', async () => {
    const outcomes = await underLoad(async () => {
      for (const port of ports) {
        expect(await replica(port).stop()).toEqual({ code: 0, signal: null });
        start(port);
        await untilUsed(port);
      }
    });
    expect(tally(outcomes)).toEqual({ 200: outcomes.length });
  });

  it('lose only the requests in flight when one is killed, which is used again after its restart', async () => {
    const [victim] = ports as [number];
    const outcomes = await underLoad(async () => {
      await replica(victim).end();
      await expect.poll(() => isUsed(victim)).toBe(false);
      start(victim);
      await untilUsed(victim);
    });
    const failed = outcomes.filter(({ status }) => status !== 200);
    console.log(`${failed.length} of ${outcomes.length} failed: ${JSON.stringify(tally(failed))}`);
    expect(failed.length).toBeLessThanOrEqual(CALLERS);
  });
});
