import { setTimeout as sleep } from 'node:timers/promises';
import { interleave } from '../interleave.ts';
import { summarise } from '../statistics.ts';

/**
 * From the start of the process to its first "ready".
 *
 * @param starters system → function that starts it and gives its process.
 */
export async function measureColdStart(starters, { rounds }) {
  const measures = Object.entries(starters).map(([system, start]) => [
    system,
    async () => {
      const server = await start();
      await server.stop();
      // Its memory is given back and its threads end before the next one starts.
      await sleep(100);
      return server.startup;
    },
  ]);
  const ms = await interleave(Object.fromEntries(measures), { rounds, most: rounds });
  return Object.fromEntries(Object.entries(ms).map(([system, values]) => [system, summarise(values)]));
}
