import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import type { Config } from '../config/settings.ts';
import type { Lifecycle } from '../http/context.ts';
import type { Logger } from '../observability/log.ts';
import type { LogOutput } from '../observability/log-output.ts';
import type { Service } from '../service.ts';
import type { EndingSignal } from './signals.ts';

export interface EndingOptions {
  config: Pick<Config, 'SHUTDOWN_DELAY_MS' | 'SHUTDOWN_GRACE_MS'>;
  lifecycle: Lifecycle;
  log: Logger;
  output: LogOutput;
  /** Settles when the service listens. If it cannot, whoever started it ends the process. */
  listening: Promise<Pick<Service, 'drain' | 'close'>>;
  /** Ends the threads, when every request has been answered. */
  close: () => Promise<void>;
  /** How many threads hang. Exiting would wait for them. */
  hungThreads: () => number;
}

/**
 * The end of the process, once threads run. Exiting would terminate them inside ONNX Runtime, which then aborts; so requests
 * are answered and threads end by themselves, or the process kills itself.
 */
export class Ending {
  readonly #options: EndingOptions;
  #isListening = false;
  #signalled = false;
  #failed = false;

  constructor(options: EndingOptions) {
    this.#options = options;
    options.listening.then(
      () => {
        this.#isListening = true;
      },
      () => {},
    );
  }

  /** Serves for SHUTDOWN_DELAY_MS, then answers what was accepted. A second signal kills the process. */
  async onSignal(signal: EndingSignal): Promise<void> {
    const { log, lifecycle, config } = this.#options;
    if (this.#signalled) {
      log.warn({ signal }, 'second signal, killing the process');
      this.#kill();
    }
    this.#signalled = true;
    // It may drain already, because of an error.
    if (lifecycle.draining) return;
    lifecycle.draining = true;
    // Before it listens, no balancer sends requests here.
    const delayMs = this.#isListening ? config.SHUTDOWN_DELAY_MS : 0;
    if (isatty(1)) {
      log.info(
        `Draining: requests are served for another ${delayMs / 1000} s, then the port closes and accepted work has ` +
          `${config.SHUTDOWN_GRACE_MS / 1000} s. Press Ctrl-C again to end at once.`,
      );
    } else {
      log.info({ signal, delayMs }, 'draining');
    }
    await sleep(delayMs);
    await this.#drain();
    log.info('drained');
    this.#exit(this.#failed ? 1 : 0);
  }

  /** After an error that nothing caught, no more requests are accepted; those that were are answered, and the exit code is 1. */
  async onFatalError(): Promise<void> {
    const { lifecycle } = this.#options;
    if (this.#failed) this.#kill();
    this.#failed = true;
    // The drain that is under way ends with 1.
    if (lifecycle.draining) return;
    lifecycle.draining = true;
    await this.#drain();
    this.#exit(1);
  }

  async #drain(): Promise<void> {
    const { config, listening, close, log } = this.#options;
    const graceMs = config.SHUTDOWN_GRACE_MS;
    setTimeout(() => {
      log.error({ graceMs }, 'work is still in flight, killing the process');
      this.#kill();
    }, graceMs).unref();
    const service = await listening.catch(() => undefined);
    // Every request is answered first, including those whose image is still arriving; then the threads end.
    await service?.drain();
    await close();
    await service?.close();
  }

  #exit(code: number): never {
    const hung = this.#options.hungThreads();
    if (hung === 0) process.exit(code);
    this.#options.log.error({ hung }, 'worker threads hang, killing the process');
    this.#kill();
  }

  /** Ends the process without waiting. PID 1 of a container cannot kill itself, so it aborts. */
  #kill(): never {
    this.#options.output.flush();
    process.kill(process.pid, 'SIGKILL');
    process.abort();
  }
}
