import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './shared.ts';

export interface Calibration {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the built `calibrate` command as a process of its own. */
export function startCalibration(options: string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(ROOT, 'dist/cli/calibrate.js'), ...options], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    printed.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    printed.stderr += chunk;
  });
  const ended = new Promise<Calibration>((resolve) =>
    child.on('close', (code) => resolve({ code, ...printed })),
  );
  return { child, ended };
}

export const runCalibration = (options: string[], environment?: Record<string, string>) =>
  startCalibration(options, environment).ended;

/** Reads a JSON file of a report. */
// biome-ignore lint/suspicious/noExplicitAny: the tests check single members.
export const readJson = (out: string, name: string): any => JSON.parse(readFileSync(join(out, name), 'utf8'));

/** The hashes of the pictures in the file of embeddings, which is removed at the end. */
export function cachedPictures(out: string): string[] {
  const path = join(out, 'embeddings.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line).sha256);
}
