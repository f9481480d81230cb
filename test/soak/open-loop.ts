import { setTimeout as sleep } from 'node:timers/promises';
import { type LoadRequest, type Outcome, post } from '../support/http/load.ts';

export interface OpenLoop {
  url: string;
  /** Requests per second. */
  rate: number;
  seconds: number;
  request: LoadRequest;
}

/** Bounds what the generator itself needs; a request that is due beyond that is left out. */
const MAX_OPEN = 2000;

/** Sends requests at a fixed rate, whatever became of earlier ones, as many independent callers do. */
export async function openLoop({ url, rate, seconds, request }: OpenLoop): Promise<Outcome[]> {
  const open = new Set<Promise<unknown>>();
  const outcomes: Outcome[] = [];
  const start = performance.now();
  for (let index = 0; index < rate * seconds; index++) {
    const early = start + (index * 1000) / rate - performance.now();
    if (early > 0) await sleep(early);
    if (open.size >= MAX_OPEN) continue;
    const call = post(url, request).then((outcome) => {
      outcomes.push(outcome);
      open.delete(call);
    });
    open.add(call);
  }
  await Promise.all(open);
  return outcomes;
}
