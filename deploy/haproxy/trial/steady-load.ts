import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { send } from './http-client.ts';

const CALLERS = 4;
const PAUSE_MS = 5;

export interface LoadResult {
  total: number;
  /** Status or error code of each failure, and the beginning of its text. */
  failures: string[];
}

/** Callers that keep their connections and send one request after another until they are stopped. */
export function startLoad(port: number, bodies: readonly Buffer[]): { stop(): Promise<LoadResult> } {
  const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
  const result: LoadResult = { total: 0, failures: [] };
  let stopped = false;
  const call = async (caller: number) => {
    while (!stopped) {
      const body = bodies[(caller + result.total) % bodies.length] as Buffer;
      const failure = await send({ port, body, agent }).then(
        ({ status, text }) => (status === 200 ? undefined : `${status} ${text}`),
        (error: NodeJS.ErrnoException) => `${error.code} ${error.message}`,
      );
      result.total++;
      if (failure !== undefined) result.failures.push(failure.slice(0, 200));
      await sleep(PAUSE_MS);
    }
  };
  const calls = Promise.all(Array.from({ length: CALLERS }, (_, caller) => call(caller)));
  return {
    async stop() {
      stopped = true;
      await calls;
      agent.destroy();
      return result;
    },
  };
}
