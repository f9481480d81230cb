import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../support/numbers.ts';
import type { Random } from './pictures/mutate.ts';
import { CAMPAIGN, report } from './support/campaign.ts';
import { Client } from './support/client.ts';
import { type Kind, ordinaryMix } from './support/endurance-mix.ts';
import { Target } from './support/target.ts';

const CALLERS = 8;
/** One request of a caller in this many is followed by a pause, so that the load goes up and down. */
const PAUSE_EVERY = 20;
const MAX_PAUSE_MS = 500;
/** Between two samples, at which nothing is in flight. */
const ROUND_MS = 30_000;
const STOPPED_MS = 2_000;
/** Longer than this process keeps an idle connection. */
const REST_MS = 6_000;
/** Part of the time after which memory counts. */
const WARM_UP = 0.25;
/** Memory at the end over memory after the warm-up. In a few minutes, chance is larger than any leak. */
const MAX_GROWTH = CAMPAIGN.minutes >= 30 ? 1.05 : 1.2;
const DAY_MS = 86_400_000;

interface Sample {
  minutes: number;
  memory: number;
  descriptors: number;
  threads: number;
}

let target: Target;
let client: Client;
afterEach(async () => {
  client.close();
  await target.end();
});

describe(`${CAMPAIGN.minutes} minutes of ordinary requests, errors, hang-ups and pauses of the process`, () => {
  it('leave memory, descriptors and answers as they were', { timeout: DAY_MS }, async () => {
    target = await new Target({ REQUEST_TIMEOUT_MS: undefined, MIN_UPLOAD_RATE: undefined }).start();
    client = new Client(target.address);
    const kinds = await ordinaryMix(client);
    const counts: Record<string, number> = {};
    const faults: string[] = [];
    const samples: Sample[] = [];
    const started = performance.now();
    const end = started + CAMPAIGN.minutes * 60_000;
    const random = seededRandom(CAMPAIGN.seed);

    for (let round = 0; performance.now() < end; round++) {
      const roundEnd = Math.min(end, performance.now() + ROUND_MS);
      const call = async (callerRandom: Random) => {
        while (performance.now() < roundEnd && !target.hasEnded) {
          const kind = pick(callerRandom, kinds);
          const fault = await kind.send(callerRandom);
          counts[kind.name] = (counts[kind.name] ?? 0) + 1;
          if (fault !== undefined && faults.length < 50) faults.push(`${kind.name}: ${fault}`);
          if (callerRandom() < 1 / PAUSE_EVERY) await sleep(MAX_PAUSE_MS * callerRandom());
        }
      };
      const callers = Array.from({ length: CALLERS }, (_, caller) =>
        call(seededRandom(CAMPAIGN.seed + 100 * round + caller)),
      );
      // As when a virtual machine is paused, or moved.
      await sleep((ROUND_MS / 2) * random());
      target.service.kill('SIGSTOP');
      await sleep(STOPPED_MS);
      target.service.kill('SIGCONT');
      await Promise.all(callers);
      if (target.hasEnded) break;
      samples.push(await sampleAtRest(target, (performance.now() - started) / 60_000));
    }

    const steady = samples.filter(({ minutes }) => minutes >= WARM_UP * CAMPAIGN.minutes);
    const third = Math.max(1, Math.floor(steady.length / 3));
    const [begin, finish] = [steady.slice(0, third), steady.slice(-third)].map((part) =>
      Math.min(...part.map(({ memory }) => memory)),
    ) as [number, number];
    report('Endurance', {
      minutes: CAMPAIGN.minutes,
      seed: CAMPAIGN.seed,
      requests: Object.values(counts).reduce((sum, count) => sum + count, 0),
      kinds: counts,
      memory: {
        afterWarmUp: Math.round(begin),
        atTheEnd: Math.round(finish),
        growth: Number((finish / begin).toFixed(3)),
        peak: Math.round(target.peakMemory),
      },
      descriptors: [...new Set(steady.map(({ descriptors }) => descriptors))],
      threads: [...new Set(steady.map(({ threads }) => threads))],
      workersLost: await target.workersLost(),
    });
    expect(faults).toEqual([]);
    expect(target.complaints).toEqual([]);
    expect(await target.workersLost()).toBe(0);
    expect(finish / begin).toBeLessThanOrEqual(MAX_GROWTH);
    expect(new Set(steady.map(({ descriptors }) => descriptors)).size).toBe(1);
    expect(Object.values(await target.held())).toEqual([0, 0, 0, 0]);
  });
});

function pick(random: Random, kinds: readonly Kind[]): Kind {
  let left = random() * kinds.reduce((sum, { weight }) => sum + weight, 0);
  for (const kind of kinds) {
    left -= kind.weight;
    if (left < 0) return kind;
  }
  return kinds[0] as Kind;
}

/** When all connections of the round are closed and garbage has been collected. */
async function sampleAtRest(service: Target, minutes: number): Promise<Sample> {
  client.disconnect();
  await expect.poll(async () => Object.values(await service.held())).toEqual([0, 0, 0, 0]);
  let memory = Number.POSITIVE_INFINITY;
  // Meanwhile, the connection on which the metrics were asked for is closed, too.
  for (let left = REST_MS / 500; left > 0; left--) {
    await sleep(500);
    memory = Math.min(memory, service.memory);
  }
  return { minutes, memory, descriptors: service.descriptors.length, threads: service.threads };
}
