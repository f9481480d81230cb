import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryOf } from '../memory.ts';

const POLL_MS = 10;
const MEMORY_PERIOD_MS = 500;
const STOP_MS = 10_000;
/** Of what it prints, kept for an error message. */
const TAIL = 4_000;

/** A server under test: a process, possibly with children, that tells over HTTP when it is ready. */
export class ServerProcess {
  /** Milliseconds from its start to its first "ready". */
  startup;
  address;
  memory = {};
  #child;
  #output = '';
  #sampler;
  #killAtExit;

  /**
   * @param findAddress text printed so far → address, or undefined while it is not known.
   * @param findFailure text printed so far → why it will not become ready, or undefined while it may.
   */
  static async start({
    command,
    args,
    environment,
    cwd,
    findAddress,
    findFailure = () => undefined,
    readyPath,
    patience = 60_000,
    signal,
  }) {
    const server = new ServerProcess();
    const started = performance.now();
    server.#child = spawn(command, args, { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [server.#child.stdout, server.#child.stderr]) {
      stream.on('data', (chunk) => {
        server.#output = (server.#output + chunk).slice(server.address ? -TAIL : 0);
      });
    }
    // Nothing is left behind, however the benchmark ends.
    server.#killAtExit = () => server.#child.kill('SIGKILL');
    process.once('exit', server.#killAtExit);
    while (!(await server.#isReady(findAddress, readyPath))) {
      const failure = findFailure(server.#output);
      const isOver = server.#hasEnded() || performance.now() - started > patience;
      if (isOver || failure !== undefined || signal?.aborted) {
        server.#child.kill('SIGKILL');
        signal?.throwIfAborted();
        throw new Error(failure ?? `It did not become ready. ${server.#output.slice(-TAIL)}`);
      }
      await sleep(POLL_MS);
    }
    server.startup = performance.now() - started;
    return server;
  }

  async #isReady(findAddress, readyPath) {
    this.address ??= findAddress(this.#output);
    if (this.address === undefined) return false;
    return fetch(`${this.address}${readyPath}`).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
  }

  #hasEnded() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Notes its memory: at a moment of that name, or the `peak` from now on until it stops. */
  noteMemory(moment) {
    const now = memoryOf(this.#child.pid);
    if (moment !== 'peak') {
      this.memory[moment] = now;
      return;
    }
    const sample = () => {
      const { resident, proportional } = memoryOf(this.#child.pid);
      const { peak = { resident: 0, proportional: 0 } } = this.memory;
      this.memory.peak = {
        resident: Math.max(peak.resident, resident ?? 0),
        proportional: Math.max(peak.proportional, proportional ?? 0),
      };
    };
    if (now.resident !== undefined) this.#sampler = setInterval(sample, MEMORY_PERIOD_MS);
  }

  async stop() {
    clearInterval(this.#sampler);
    if (this.#hasEnded()) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(timer);
    process.off('exit', this.#killAtExit);
  }
}
