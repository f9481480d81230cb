import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './shared.ts';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

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
    for (;;) {
      const line = this.log.find(({ msg }) => msg === 'listening');
      if (line) return `http://127.0.0.1:${line.port}`;
      if (this.child.exitCode !== null) throw new Error(`The service ended: ${this.stderr}${this.stdout}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Waits until it can embed; returns its address. */
  async ready(): Promise<string> {
    const address = await this.listening();
    while ((await fetch(`${address}/readyz`)).status !== 200) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return address;
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
