import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Starts a program that is killed, with the processes that it has started, at the latest when this process ends.
 *
 * It must not inherit this process's output: Vitest reads that until every process that holds it has ended, and reports
 * "close timed out" otherwise.
 */
export function spawnChild(
  command: string,
  args: readonly string[],
  options: Omit<SpawnOptions, 'detached'>,
): ChildProcess {
  // A process group of its own.
  const child = spawn(command, args, { ...options, detached: true });
  if (child.pid !== undefined) killWithThisProcess(child, child.pid);
  return child;
}

/**
 * This process may end in any way: Vitest ends the process of a test file with a signal, also after a test that failed or hangs.
 * The operating system then closes the pipe from which a shell reads, and the shell kills the group.
 */
function killWithThisProcess(child: ChildProcess, group: number): void {
  const guard = spawn('/bin/sh', ['-c', 'read -r line; kill -s KILL -- "-$1"', 'guard', String(group)], {
    // A session of its own, so that Ctrl+C does not end it before the group.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  (guard.stdin as Socket).unref();
  child.once('exit', () => {
    killGroup(group);
    guard.kill('SIGKILL');
  });
}

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
}

/** Runs a Node program to its end. */
export function runProgram(
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawnChild(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk) => {
      output[name] += chunk;
    });
  }
  const ended = once(child, 'close').then(([code]) => ({ code, ...output }));
  return { child, ended };
}

/** Kills a child process and waits until it has ended. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
