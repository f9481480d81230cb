import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './shared.ts';

export interface Outcome {
  /** When it was sent, in milliseconds of the generator's clock. */
  at: number;
  /** Until its end, in milliseconds. */
  ms: number;
  /** 0 when there was no answer. */
  status: number;
  /** The error code, or what broke the connection. */
  code: string;
}

export interface Load {
  url: string;
  /** Requests a second. */
  rate: number;
  seconds: number;
  requests: { headers: Record<string, string>; body: Uint8Array }[];
  maxOpen?: number;
}

const run = promisify(execFile);
const OUTPUT_BYTES = 64 * 1024 * 1024;

/** Sends requests at a fixed rate from another process. */
export async function generateLoad(load: Load): Promise<Outcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'load-'));
  const requests = load.requests.map(({ headers, body }, index) => {
    const bodyFile = join(folder, String(index));
    writeFileSync(bodyFile, body);
    return { headers, bodyFile };
  });
  const script = join(ROOT, 'test/support/load.mjs');
  const { stdout } = await run(process.execPath, [script, JSON.stringify({ ...load, requests })], {
    maxBuffer: OUTPUT_BYTES,
  });
  return JSON.parse(stdout);
}

export interface Probe {
  ms: number;
  status: number;
}

/** Asks probes from another process, one after the other; the first, which opens the connection, is left out. */
export async function probe(address: string, count: number, paths: string[]): Promise<Probe[]> {
  const script = join(ROOT, 'test/support/probe.mjs');
  const { stdout } = await run(process.execPath, [script, address, String(count + 1), ...paths], {
    maxBuffer: OUTPUT_BYTES,
  });
  return JSON.parse(stdout).slice(1);
}

/** How many outcomes there are of each status and code: "503 OVERLOADED": 12. */
export function tally(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, code } of outcomes) {
    const key = `${status} ${code}`.trim();
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
