import { setTimeout as sleep } from 'node:timers/promises';
import { interleave } from '../interleave.ts';
import type { ServerProcess } from '../servers/server-process.ts';
import { type Summary, summarise } from '../statistics.ts';
import type { ServerName } from './context.ts';

/** Milliseconds from the start of the process until the server is ready. */
export type ColdStartResult = Partial<Record<ServerName, Summary | undefined>>;

export async function measureColdStart(
  starters: Partial<Record<ServerName, () => Promise<ServerProcess>>>,
  { rounds }: { rounds: number },
): Promise<ColdStartResult> {
  const measures = Object.entries(starters).map(([name, start]) => [
    name,
    async () => {
      const server = await start();
      await server.stop();
      // The system reclaims the memory and the threads before the next server starts.
      await sleep(100);
      return server.startupMs;
    },
  ]);
  const ms: Record<string, number[]> = await interleave(Object.fromEntries(measures), {
    minRounds: rounds,
    maxRounds: rounds,
  });
  return Object.fromEntries(Object.entries(ms).map(([name, values]) => [name, summarise(values)]));
}
