/*
 * Read by the service before its own files (NODE_OPTIONS=--import), to do to it what cannot be timed from outside. INTERFERE
 * names it.
 */
import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';

const terminate = () => process.kill(process.pid, 'SIGTERM');

const INTERFERENCES: Record<string, () => void> = {
  /** A signal as soon as Node catches it. */
  'signal at once'() {
    process.on('newListener', (event) => {
      if (event === 'SIGTERM') terminate();
    });
  },
  /** A signal while a worker loads and nothing listens yet. */
  'signal with the first worker'() {
    const { Worker } = threads;
    threads.Worker = class extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args);
        terminate();
      }
    };
    syncBuiltinESMExports();
  },
  /** Errors that nothing catches, one with each SIGUSR2. */
  exception() {
    process.on('SIGUSR2', () => {
      throw new Error('thrown by the test');
    });
  },
  rejection() {
    process.on('SIGUSR2', () => {
      Promise.reject(new Error('rejected by the test'));
    });
  },
  warning() {
    process.on('SIGUSR2', () => process.emitWarning('of the test'));
  },
  'rejection at the start'() {
    process.on('newListener', (event) => {
      if (event === 'uncaughtException') Promise.reject(new Error('rejected by the test'));
    });
  },
};

if (threads.isMainThread) INTERFERENCES[process.env.INTERFERE ?? '']?.();
