import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../shared.ts';
import { endChild, spawnChild } from './child-process.ts';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Maximum wait until it listens or is ready, in milliseconds: it takes one or two seconds on an idle machine. */
const START_MS = 90_000;

/**
 * The built service in a process of its own, as an operator starts it.
 *
 * @param environment its settings; a variable that is undefined is not set.
 * @param files by their names, in the folder in which it starts.
 * @param openFiles how many files it may have open.
 * @param wrapper a command that starts the service as its own process.
 */
export class ServiceProcess {
  readonly child: ChildProcess;
  readonly exit: Promise<Exit>;
  stdout = '';
  stderr = '';

  constructor(
    environment: Record<string, string | undefined> = {},
    files: Record<string, string> = {},
    openFiles?: number,
    wrapper: readonly string[] = [],
  ) {
    // A new folder, so that no .env file is read unless a test provides one.
    const cwd = mkdtempSync(join(tmpdir(), 'service-'));
    for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), content);
    const command = [...wrapper, process.execPath, join(ROOT, 'dist/main.cjs')];
    if (openFiles !== undefined) command.unshift('sh', '-c', `ulimit -n ${openFiles} && exec "$0" "$@"`);
    this.child = spawnChild(command[0] as string, command.slice(1), {
      cwd,
      env: {
        PATH: process.env.PATH,
        PREPARED_DIR: 'none',
        HOST: '127.0.0.1',
        PORT: '0',
        MODEL_NAME: 'synthetic',
        WORKERS: '1',
        // A test that needs a limit sets it; no other test may fail because the machine is busy.
        REQUEST_TIMEOUT_MS: '300000',
        MIN_UPLOAD_RATE: '0',
        SHUTDOWN_DELAY_MS: '0',
        SHUTDOWN_GRACE_MS: '300000',
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
    this.exit = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        rmSync(cwd, { recursive: true, force: true });
        resolve({ code, signal });
      });
    });
  }

  /** Its log, one record for each line. */
  get log(): Record<string, unknown>[] {
    return this.stdout
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line));
  }

  /** Waits until it listens; returns its address. */
  async listening(): Promise<string> {
    let port: unknown;
    await this.#until(() => {
      port = this.log.find(({ msg }) => msg === 'listening')?.port;
      return port !== undefined;
    });
    return `http://127.0.0.1:${port}`;
  }

  /** Waits until it can embed; returns its address. */
  async ready(): Promise<string> {
    const address = await this.listening();
    await this.#until(async () => (await fetch(`${address}/readyz`)).status === 200);
    return address;
  }

  async #until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + START_MS;
    const { child } = this;
    while (!(await condition())) {
      const hasEnded = child.exitCode !== null || child.signalCode !== null;
      if (hasEnded || performance.now() > deadline) {
        const end = hasEnded ? `ended with ${child.exitCode ?? child.signalCode}` : 'does not start';
        throw new Error(`The service ${end}: ${this.stderr}${this.stdout}`);
      }
      await sleep(10);
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

  /** Asks it to end, which it does when it has answered its requests. */
  stop(): Promise<Exit> {
    this.kill('SIGTERM');
    return this.exit;
  }

  /** Kills it, unless it has ended already, and waits for that. */
  async end(): Promise<void> {
    await endChild(this.child);
    await this.exit;
  }
}
