import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryOf, processorSecondsOf, sharedWithOthers } from './proc.ts';

const POLL_MS = 10;
const MEMORY_PERIOD_MS = 500;
/** Preparing the networks of a large pack takes ten seconds, longer on a busy machine. */
const START_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_MS = 10_000;
/** Characters of the output that an error message contains. */
const TAIL = 4_000;

export interface ServerCommand {
  command: string;
  args: string[];
  environment: Record<string, string | undefined>;
  cwd: string;
  /** Finds the server's address in its output so far; undefined when it is not known yet. */
  findAddress: (output: string) => string | undefined;
  /** The path that answers with a success once the server is ready. */
  readyPath: string;
  /** Samples memory from the first moment on, this often in milliseconds. The time of the start then means little. */
  sampleMs?: number | undefined;
}

/** When memory was read, in MiB: after the start, after pictures of ordinary size, at the end; `peak` is the maximum of samples. */
export const MEMORY_MOMENTS = ['idle', 'ordinary', 'peak', 'after'] as const;
export type MemoryReadings = Partial<Record<(typeof MEMORY_MOMENTS)[number], number>>;

/** A server under test: a process, possibly with children, that answers over HTTP when it is ready. */
export class ServerProcess {
  readonly memory: MemoryReadings = {};
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  #address: string | undefined;
  #startupMs = Number.NaN;
  #output = '';
  #sampler: NodeJS.Timeout | undefined;
  /** MiB of mapped files that belong to it, but count for other processes too. */
  #shared = 0;
  readonly #kill = () => {
    this.#child.kill('SIGKILL');
  };

  private constructor({ command, args, cwd, environment }: ServerCommand) {
    this.#child = spawn(command, args, { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (chunk) => {
        this.#output = (this.#output + chunk).slice(this.#address ? -TAIL : 0);
      });
    }
    // The server must not outlive the benchmark.
    process.once('exit', this.#kill);
  }

  /** Starts the server and waits until it is ready. */
  static async start(command: ServerCommand): Promise<ServerProcess> {
    const started = performance.now();
    const server = new ServerProcess(command);
    if (command.sampleMs !== undefined) server.startMemorySampling(command.sampleMs);
    while (!(await server.#isReady(command))) {
      if (server.#hasEnded() || performance.now() - started > START_TIMEOUT_MS) {
        clearInterval(server.#sampler);
        server.#kill();
        throw new Error(`The server did not become ready. ${server.#output.slice(-TAIL)}`);
      }
      await sleep(POLL_MS);
    }
    server.#startupMs = performance.now() - started;
    if (server.memory.peak !== undefined) server.memory.peak += sharedWithOthers(server.#pid);
    return server;
  }

  get address(): string {
    if (this.#address === undefined) throw new Error('The server is not ready.');
    return this.#address;
  }

  /** Milliseconds from the start of the process until it was ready. */
  get startupMs(): number {
    return this.#startupMs;
  }

  async #isReady({ findAddress, readyPath }: ServerCommand): Promise<boolean> {
    this.#address ??= findAddress(this.#output);
    if (this.#address === undefined) return false;
    return fetch(`${this.#address}${readyPath}`).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  recordMemory(moment: Exclude<keyof MemoryReadings, 'peak'>): void {
    // Changes when other servers start.
    this.#shared = sharedWithOthers(this.#pid);
    const memory = this.#readMemory();
    if (memory !== undefined) this.memory[moment] = memory;
  }

  /** Samples memory until the server stops, and records the maximum as `peak`. */
  startMemorySampling(periodMs = MEMORY_PERIOD_MS): void {
    this.#sampler = setInterval(() => {
      const memory = this.#readMemory();
      if (memory !== undefined) this.memory.peak = Math.max(this.memory.peak ?? 0, memory);
    }, periodMs);
  }

  /** Processor time of all its threads and descendants since the start, in seconds. */
  get processorSeconds(): number {
    return processorSecondsOf(this.#pid);
  }

  #readMemory(): number | undefined {
    const memory = memoryOf(this.#pid);
    return memory === undefined ? undefined : memory + this.#shared;
  }

  get #pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('The server has no process.');
    return pid;
  }

  async stop(): Promise<void> {
    clearInterval(this.#sampler);
    if (this.#hasEnded()) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(this.#kill, STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
    process.off('exit', this.#kill);
  }
}
