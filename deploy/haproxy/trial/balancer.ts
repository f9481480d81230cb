import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:dgram';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../bench/servers/free-port.ts';
import { PACKAGE_ROOT } from '../../../src/config/package.ts';
import { startDnsServer } from './dns-server.ts';
import { send, waitUntil } from './http-client.ts';

const CONFIGURATION = fileURLToPath(new URL('deploy/haproxy/haproxy.cfg', PACKAGE_ROOT));

/** HAProxy with the shipped configuration. It finds its replicas through a DNS server that answers with `addresses`. */
export class Balancer {
  /** For callers. */
  readonly port: number;
  readonly statsPort: number;
  /** The port of every replica. */
  readonly replicaPort: number;
  readonly addresses = new Set<string>();
  readonly logLines: string[] = [];
  #dns: Socket | undefined;
  #process: ChildProcess | undefined;

  private constructor(ports: { port: number; statsPort: number; replicaPort: number }) {
    this.port = ports.port;
    this.statsPort = ports.statsPort;
    this.replicaPort = ports.replicaPort;
  }

  static async start(): Promise<Balancer> {
    const [port, statsPort, replicaPort] = [await freePort(), await freePort(), await freePort()];
    const balancer = new Balancer({ port, statsPort, replicaPort });
    try {
      await balancer.#start();
    } catch (error) {
      balancer.stop();
      throw error;
    }
    return balancer;
  }

  async #start(): Promise<void> {
    this.#dns = await startDnsServer(this.addresses);
    const haproxy = spawn('haproxy', ['-db', '-f', CONFIGURATION], {
      env: {
        PATH: process.env.PATH,
        BIND: `127.0.0.1:${this.port}`,
        STATS_BIND: `127.0.0.1:${this.statsPort}`,
        REPLICA_HOST: 'replica.test',
        REPLICA_PORT: String(this.replicaPort),
        MAX_REPLICAS: '4',
        DNS_SERVER: `127.0.0.1:${this.#dns.address().port}`,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = haproxy;
    haproxy.stdout
      .setEncoding('utf8')
      .on('data', (text: string) =>
        this.logLines.push(...text.split('\n').filter((line) => line.startsWith('{'))),
      );
    await waitUntil('the balancer listens', () =>
      send({ port: this.statsPort, path: '/' }).then(
        () => true,
        () => false,
      ),
    );
  }

  /** Waits until this many replicas are up by the balancer's own statistics. */
  async waitForReplicas(count: number): Promise<void> {
    await waitUntil(`${count} replicas are up`, async () => {
      const rows = await this.#replicaRows();
      return rows.filter((row) => row.includes(',UP,')).length === count;
    });
  }

  /** The number of requests that each replica has received. */
  async requestCounts(): Promise<number[]> {
    const rows = await this.#replicaRows();
    return rows.map((row) => Number(row.split(',')[7])).filter((count) => count > 0);
  }

  stop(): void {
    this.#process?.kill('SIGKILL');
    this.#dns?.close();
  }

  async #replicaRows(): Promise<string[]> {
    const { text } = await send({ port: this.statsPort, path: '/;csv' });
    return text.split('\n').filter((line) => /^replicas,replica\d+,/.test(line));
  }
}
