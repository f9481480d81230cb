import { readFileSync } from 'node:fs';
import { StartupError } from '../errors.ts';

/** Files of the process itself: 30 while it is idle, 100 while Node reads modules, in the main thread or in a new one. */
const OWN_FILES = 128;
/** Pipes and event queues of one thread. */
const FILES_PER_WORKER = 8;
/** With fewer, a few callers would take all connections. */
const MIN_CONNECTIONS = 64;

/** How many files and connections the process may have open (ulimit -n; Node raises it as far as it may). */
export function readOpenFilesLimit(): number {
  try {
    const limit = readFileSync('/proc/self/limits', 'utf8').match(/^Max open files\s+(\d+)/m)?.[1];
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    // Not Linux.
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * Checks it before the program is read, which Node does with many files open at a time: where it runs out of them, Node says of
 * some file that it does not exist.
 *
 * @throws {StartupError} when the files are too few for any number of workers.
 */
export function assertOpenFiles(openFiles = readOpenFilesLimit()): void {
  connectionLimit({ WORKERS: 1 }, openFiles);
}

/**
 * How many connections the service may have open, so that it can still open files and start threads. Without this limit, Node
 * reports an error for each connection that it cannot accept.
 *
 * @throws {StartupError} when too few files are left for it.
 */
export function connectionLimit({ WORKERS }: { WORKERS: number }, openFiles = readOpenFilesLimit()): number {
  const own = OWN_FILES + FILES_PER_WORKER * WORKERS;
  if (openFiles >= own + MIN_CONNECTIONS) return openFiles - own;
  throw new StartupError(
    `This process may have ${openFiles} files open (ulimit -n, LimitNOFILE); accepted is at least ${own + MIN_CONNECTIONS} with ` +
      `WORKERS=${WORKERS}, and one more for each further connection.`,
  );
}
