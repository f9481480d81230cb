import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './shared.ts';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Longest wait for it to listen or to be ready, in milliseconds; it takes one or two seconds. */
const START_MS = 30_000;

/** The built service as a process of its own, as an operator starts it. */
export class ServiceProcess {
  readonly child: ChildProcess;
  readonly exit: Promise<Exit>;
  stdout = '';
  stderr = '';

  constructor(environment: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [join(ROOT, 'dist/main.js')], {
      // A folder without a .env file.
      cwd: mkdtempSync(join(tmpdir(), 'service-')),
      env: {
        PATH: process.env.PATH,
        HOST: '127.0.0.1',
        PORT: '0',
        MODEL_NAME: 'synthetic',
        WORKERS: '1',
        SHUTDOWN_DELAY_MS: '0',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk) => {
      this.stdout += chunk;
    });
    this.child.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
    this.exit = new Promise((resolve) => this.child.on('close', (code, signal) => resolve({ code, signal })));
  }

  /** Its log, a line each. */
  get log(): Record<string, unknown>[] {
    return this.stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  }

  /** Waits until it listens; returns its address. */
  async listening(): Promise<string> {
    let port: unknown;
    await this.#until(() => {
      port = this.log.find(({ msg }) => msg === 'listening')?.port;
      return port !== undefined;
    }, 10);
    return `http://127.0.0.1:${port}`;
  }

  /** Waits until it can embed; returns its address. */
  async ready(): Promise<string> {
    const address = await this.listening();
    await this.#until(async () => (await fetch(`${address}/readyz`)).status === 200, 20);
    return address;
  }

  async #until(condition: () => boolean | Promise<boolean>, intervalMs: number): Promise<void> {
    const deadline = performance.now() + START_MS;
    const { child } = this;
    while (!(await condition())) {
      const hasEnded = child.exitCode !== null || child.signalCode !== null;
      if (hasEnded || performance.now() > deadline) {
        const end = hasEnded ? `ended with ${child.exitCode ?? child.signalCode}` : 'does not start';
        throw new Error(`The service ${end}: ${this.stderr}${this.stdout}`);
      }
      await new Promise((resolve) => setTimeout(resolve, intervalMs));
    }
  }

  /** Resident memory in MiB. Linux only. */
  get memory(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}
