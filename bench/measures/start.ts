import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { interleave } from '../interleave.ts';
import type { ServerProcess } from '../servers/server-process.ts';
import type { StartConditions } from '../servers/service.ts';
import { type Summary, summarise } from '../statistics.ts';
import type { ServerName } from './context.ts';

/** Often enough for peaks that last a tenth of a second. */
const SAMPLE_MS = 30;

export type Starter = (conditions?: StartConditions) => Promise<ServerProcess>;
export type Starters = { service: Starter } & Partial<Record<ServerName, Starter>>;

export interface StartResult {
  /** Milliseconds from the start of the process until the server is ready, without prepared graphs. Of the service only. */
  cold?: Summary | undefined;
  /** The same with prepared graphs, or of a server that has none. */
  warm: Summary | undefined;
  /** The most memory during a start, in MiB: of starts that are not timed, because reading memory takes time. */
  peak: { cold?: number | undefined; warm: number | undefined };
}

export type StartResults = Partial<Record<ServerName, StartResult>>;

interface Options {
  rounds: number;
  /** Cold starts of a large pack take long. */
  coldRounds: number;
  /** A folder for prepared graphs that are used once. */
  scratch: string;
}

/** Measures how long the starts of the servers take, and how much memory. */
export async function measureStart(
  starters: Starters,
  { rounds, coldRounds, scratch }: Options,
): Promise<StartResults> {
  const startCold = (conditions: StartConditions = {}) =>
    startUnprepared(starters.service, conditions, scratch);
  const coldPeak = await peakOf(startCold);
  // The service must have made its prepared graphs before a warm start.
  await (await starters.service()).stop();
  const cold = await interleave(
    { ms: () => timeOf(startCold) },
    { minRounds: coldRounds, maxRounds: coldRounds },
  );
  const measures = Object.entries(starters).map(([name, start]) => [name, () => timeOf(start)]);
  const warm: Record<string, number[]> = await interleave(Object.fromEntries(measures), {
    minRounds: rounds,
    maxRounds: rounds,
  });
  const results: StartResults = {};
  for (const [name, start] of Object.entries(starters) as [ServerName, Starter][])
    results[name] = { warm: summarise(warm[name] ?? []), peak: { warm: await peakOf(start) } };
  const { service } = results;
  if (service) {
    service.cold = summarise(cold.ms);
    service.peak.cold = coldPeak;
  }
  return results;
}

async function startUnprepared(
  start: Starter,
  conditions: StartConditions,
  scratch: string,
): Promise<ServerProcess> {
  const prepared = mkdtempSync(join(scratch, 'cold-'));
  try {
    return await start({ ...conditions, prepared });
  } finally {
    // Sessions keep the pages of files that are deleted.
    rmSync(prepared, { recursive: true });
  }
}

/** @returns milliseconds. */
async function timeOf(start: Starter): Promise<number> {
  const server = await start();
  await stop(server);
  return server.startupMs;
}

/** @returns MiB. */
async function peakOf(start: Starter): Promise<number | undefined> {
  const server = await start({ sampleMs: SAMPLE_MS });
  await stop(server);
  return server.memory.peak;
}

async function stop(server: ServerProcess): Promise<void> {
  await server.stop();
  // The system reclaims the memory and the threads before the next server starts.
  await sleep(100);
}
