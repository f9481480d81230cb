import { afterEach, expect, it } from 'vitest';
import { goodputUnder, type Work } from '../../bench/goodput.ts';
import { processorSecondsOf } from '../../bench/servers/proc.ts';
import { closedLoop, tally } from '../support/http/load.ts';
import { blobs, bytesOf } from '../support/pictures.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';
import { hasRealWeights, MODELS, photo } from '../support/shared.ts';
import { latencyDuring, latencyOf, written } from './latency.ts';
import { openLoop } from './open-loop.ts';

const SECONDS = 60;
const OVERLOAD = 10;
/** What must remain of the capacity, without what the load generator takes of the processors. */
const MIN_GOODPUT = 0.85;
const EXPECTED = /^(200|503 OVERLOADED|504 DEADLINE_EXCEEDED)$/;

let service: ServiceProcess;
afterEach(() => service.end());

it('ten times the load that it can carry costs neither goodput nor the probes nor memory', async () => {
  service = new ServiceProcess({
    WORKERS: '2',
    MAX_QUEUE: '8',
    REQUEST_TIMEOUT_MS: '2000',
    MALLOC_ARENA_MAX: '2',
    ...(hasRealWeights && { MODEL_NAME: 'buffalo_sc_dq', MODELS_DIR: MODELS }),
  });
  const address = await service.ready();
  const url = `${address}/v1/embed`;
  const request = {
    headers: { 'Content-Type': 'image/jpeg' },
    body: hasRealWeights
      ? photo('lfw/Abdullah_0002.jpg')
      : bytesOf(await blobs(1, 1600, 1200).jpeg().toBuffer()),
  };
  const capacity = await measureCapacity();
  const rate = Math.round(capacity.perSecond * OVERLOAD);
  const settled = service.memory;

  let peak = 0;
  const sampler = setInterval(() => {
    peak = Math.max(peak, service.memory);
  }, 100);
  let used = processorSeconds();
  const load = () => openLoop({ url, rate, seconds: SECONDS, request });
  const { result, service: probes, control } = await latencyDuring(address, load);
  clearInterval(sampler);
  used = processorSeconds() - used;

  const counts = tally(result);
  const served = counts[200] ?? 0;
  // Probes are answered without any work, too.
  const refused = result.length - served + probes.count;
  const { goodput, answerMs, refusalMs } = goodputUnder(OVERLOAD, capacity.work, {
    answered: served,
    refused,
    processorSeconds: used,
  });
  const refusals = latencyOf(result.filter(({ status }) => status === 503).map(({ ms }) => ms));
  console.log(
    [
      `${hasRealWeights ? 'real weights' : 'synthetic pack'}: capacity ${capacity.perSecond.toFixed(0)}/s, offered ${rate}/s`,
      `served ${(served / SECONDS).toFixed(0)}/s, goodput ${goodput.toFixed(2)} of the capacity ` +
        `(${answerMs.toFixed(1)} ms of processor time for an answer, ${refusalMs.toFixed(2)} for a refusal); ${JSON.stringify(counts)}; refused after ${written(refusals)}`,
      `/livez: ${written(probes)}; a server that computes nothing: ${written(control)}`,
      `memory: ${settled.toFixed(0)} MiB before, peak ${peak.toFixed(0)}`,
    ].join('\n'),
  );
  expect(Object.keys(counts).filter((key) => !EXPECTED.test(key))).toEqual([]);
  expect(goodput).toBeGreaterThan(MIN_GOODPUT);
  expect(refusals.p50).toBeLessThan(100);
  expect(probes.p99).toBeLessThan(control.p99 + 20);
  expect(peak).toBeLessThan(settled + 150);

  function processorSeconds(): number {
    return processorSecondsOf(service.child.pid as number);
  }

  /** After as many requests to warm up. */
  async function measureCapacity(): Promise<{ perSecond: number; work: Work }> {
    let capacity = { perSecond: 0, work: { answered: 0, refused: 0, processorSeconds: 0 } };
    for (let round = 0; round < 2; round++) {
      const started = performance.now();
      const before = processorSeconds();
      const until = () => performance.now() - started > 10_000;
      const { length } = await closedLoop({ url, requests: [request], callers: 4, until });
      capacity = {
        perSecond: (length * 1000) / (performance.now() - started),
        work: { answered: length, refused: 0, processorSeconds: processorSeconds() - before },
      };
    }
    return capacity;
  }
});
