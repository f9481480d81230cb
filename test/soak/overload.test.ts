import { afterEach, expect, it } from 'vitest';
import { closedLoop, tally } from '../support/http/load.ts';
import { blobs, bytesOf } from '../support/pictures.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';
import { hasRealWeights, MODELS, photo } from '../support/shared.ts';
import { latencyDuring, latencyOf, written } from './latency.ts';
import { openLoop } from './open-loop.ts';

const SECONDS = 60;
const EXPECTED = /^(200|503 OVERLOADED|504 DEADLINE_EXCEEDED)$/;

let service: ServiceProcess;
afterEach(() => service.end());

it('ten times the load that it can carry costs neither half of the throughput nor the probes nor memory', async () => {
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
  const rate = Math.round(capacity * 10);
  const settled = service.memory;

  let peak = 0;
  const sampler = setInterval(() => {
    peak = Math.max(peak, service.memory);
  }, 100);
  const load = () => openLoop({ url, rate, seconds: SECONDS, request });
  const { result, service: probes, control } = await latencyDuring(address, load);
  clearInterval(sampler);

  const counts = tally(result);
  const served = (counts[200] ?? 0) / SECONDS;
  const refusals = latencyOf(result.filter(({ status }) => status === 503).map(({ ms }) => ms));
  console.log(
    [
      `${hasRealWeights ? 'real weights' : 'synthetic pack'}: capacity ${capacity.toFixed(0)}/s, offered ${rate}/s`,
      `served ${served.toFixed(0)}/s; ${JSON.stringify(counts)}; refused after ${written(refusals)}`,
      `/livez: ${written(probes)}; a server that computes nothing: ${written(control)}`,
      `memory: ${settled.toFixed(0)} MiB before, peak ${peak.toFixed(0)}`,
    ].join('\n'),
  );
  expect(Object.keys(counts).filter((key) => !EXPECTED.test(key))).toEqual([]);
  expect(served).toBeGreaterThan(capacity * 0.5);
  expect(refusals.p50).toBeLessThan(100);
  expect(probes.p99).toBeLessThan(control.p99 + 20);
  expect(peak).toBeLessThan(settled + 150);

  /** Requests per second, after as many to warm up. */
  async function measureCapacity(): Promise<number> {
    let perSecond = 0;
    for (let round = 0; round < 2; round++) {
      const started = performance.now();
      const until = () => performance.now() - started > 10_000;
      const { length } = await closedLoop({ url, requests: [request], callers: 4, until });
      perSecond = (length * 1000) / (performance.now() - started);
    }
    return perSecond;
  }
});
