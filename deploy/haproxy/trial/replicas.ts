import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtFile } from '../../../src/config/package.ts';
import { send, waitUntil } from './http-client.ts';

const SERVICE = fileURLToPath(builtFile('main.cjs'));
/** Without a .env file. */
const WORKING_DIRECTORY = mkdtempSync(join(tmpdir(), 'balancer-'));

/** The service with the synthetic pack, on an address of its own. */
export class Replica {
  readonly host: string;
  readonly #port: number;
  #process: ChildProcess | undefined;

  constructor(host: string, port: number) {
    this.host = host;
    this.#port = port;
  }

  /** Settles when the replica is ready. */
  async start(): Promise<void> {
    this.#process = spawn(process.execPath, [SERVICE], {
      cwd: WORKING_DIRECTORY,
      env: {
        PATH: process.env.PATH,
        MODEL_NAME: 'synthetic',
        WORKERS: '1',
        LOG_LEVEL: 'error',
        HOST: this.host,
        PORT: String(this.#port),
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    await waitUntil(`${this.host} is ready`, () =>
      send({ host: this.host, port: this.#port, path: '/readyz' }).then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
  }

  /** @returns the exit code, null after SIGKILL. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null;
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code] = await exited;
    return code;
  }
}

/** A server in place of a replica: always ready, with every other request handled by `handle`. */
export async function startStandIn(host: string, port: number, handle: RequestListener): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    if (incoming.url?.endsWith('/readyz')) outgoing.end('{}');
    else handle(incoming, outgoing);
  });
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

export function stopStandIn(server: Server): void {
  server.close();
  server.closeAllConnections();
}
