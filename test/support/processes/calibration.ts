import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../shared.ts';
import { type Ended, runProgram } from './child-process.ts';

export type Calibration = Ended;

/** Runs the built `calibrate` command as a process of its own. */
export const startCalibration = (options: string[], environment: Record<string, string> = {}) =>
  runProgram([join(ROOT, 'dist/cli/calibrate.js'), ...options], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, PREPARED_DIR: 'none', ...environment },
  });

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
