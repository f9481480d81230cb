import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';

/** Starts a program that is killed at the latest when this process ends. */
export function spawnChild(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(command, args, options);
  killWithThisProcess(child);
  return child;
}

/**
 * Kills a child process when this process ends, in whatever way: Vitest ends the process of a test file with a signal, also
 * after a test that failed or hangs. The operating system then closes the pipe for which a shell waits.
 *
 * A child must not inherit this process's output: Vitest reads that until every process that holds it has ended, and reports
 * "close timed out" otherwise.
 *
 * @param options.group whether the child was spawned as `detached`, and its own children are killed, too.
 */
export function killWithThisProcess(child: ChildProcess, { group = false } = {}): void {
  if (child.pid === undefined) return;
  const target = String(group ? -child.pid : child.pid);
  const guard = spawn('/bin/sh', ['-c', 'read -r line; kill -9 "$1"', 'guard', target], {
    // A session of its own, so that Ctrl+C does not end it before the child.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  (guard.stdin as Socket).unref();
  child.once('exit', () => guard.kill('SIGKILL'));
}

/** Kills a child process and waits until it has ended. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
