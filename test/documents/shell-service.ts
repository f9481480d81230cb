import type { ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnChild } from '../support/processes/child-process.ts';
import { freePort } from '../support/processes/free-port.ts';

/** Longest wait for a service to be ready, in milliseconds. */
const START_MS = 90_000;

/** The environment of a reader's shell: the synthetic pack, so that nothing is downloaded. */
export const READER_SETTINGS = {
  PATH: process.env.PATH,
  HOME: tmpdir(),
  HOST: '127.0.0.1',
  MODEL_NAME: 'synthetic',
  WORKERS: '1',
  SHUTDOWN_DELAY_MS: '0',
  npm_config_update_notifier: 'false',
};

/** A service that a command of a document starts. */
export class ShellService {
  readonly #command: string;
  readonly #folder: string;
  #shell: ChildProcess | undefined;
  #output = '';
  #port = 0;

  constructor(command: string, folder: string) {
    this.#command = command;
    this.#folder = folder;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Starts it and waits until it can embed. */
  async ready(): Promise<void> {
    this.#port = await freePort();
    this.#shell = spawnChild('bash', ['--norc', '-euo', 'pipefail', '-c', this.#command], {
      cwd: this.#folder,
      env: { ...READER_SETTINGS, PORT: String(this.#port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#shell.stdout, this.#shell.stderr]) {
      stream?.on('data', (chunk) => {
        this.#output += chunk;
      });
    }
    const deadline = performance.now() + START_MS;
    while (!(await this.#isReady())) {
      if (this.#shell.exitCode !== null || performance.now() > deadline) {
        await this.stop();
        throw new Error(`The service does not start: ${this.#output}`);
      }
      await sleep(50);
    }
  }

  async #isReady(): Promise<boolean> {
    return fetch(`http://${this.address}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  async stop(): Promise<void> {
    const shell = this.#shell;
    if (shell?.pid === undefined || shell.exitCode !== null || shell.signalCode !== null) return;
    const ended = new Promise((resolve) => shell.once('close', resolve));
    // To its process group: npm starts further processes.
    process.kill(-shell.pid, 'SIGTERM');
    await ended;
  }
}
