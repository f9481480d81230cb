import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter } from 'node:path';
import { text } from 'node:stream/consumers';

const TIMEOUT_MS = 300_000;

export interface Place {
  folder: string;
  /** Folders of programs that are found before those of PATH. */
  programs: readonly string[];
  environment?: Record<string, string>;
}

/** A program that ended with a failure. The message is the end of what it said. */
export class CommandFailed extends Error {}

/**
 * Runs a program.
 *
 * @returns its standard output.
 * @throws {CommandFailed} unless it ends with 0 in time.
 */
export async function run(
  { folder, programs, environment }: Place,
  command: string,
  ...options: string[]
): Promise<string> {
  const child = spawn(command, options, {
    cwd: folder,
    env: {
      ...process.env,
      ...environment,
      PATH: [...programs, process.env.PATH].join(delimiter),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  const failed = once(child, 'error').then(([error]) => String(error));
  const [output, errors, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    Promise.race([once(child, 'close').then(([code]) => code as number | null), failed]),
  ]);
  if (code === 0) return output;
  const said = `${output}\n${errors}`.trim().split('\n').slice(-15).join('\n');
  throw new CommandFailed(`${command} ${options.join(' ')}: ${typeof code === 'string' ? code : said}`);
}
