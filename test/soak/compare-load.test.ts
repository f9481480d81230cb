import { afterEach, expect, it } from 'vitest';
import { compareBody } from '../support/http/compare-body.ts';
import { closedLoop, tally } from '../support/http/load.ts';
import { metric } from '../support/http/metric.ts';
import { blobs, bytesOf } from '../support/pictures.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';
import { latencyDuring, latencyOf, written } from './latency.ts';

const SECONDS = 60;

let service: ServiceProcess;
afterEach(() => service.end());

it('comparing with a thousand references keeps no probe waiting while embeds take all workers', async () => {
  service = new ServiceProcess({ WORKERS: '2' });
  const address = await service.ready();
  const image = {
    headers: { 'Content-Type': 'image/jpeg' },
    body: bytesOf(await blobs(1, 1600, 1200).jpeg().toBuffer()),
  };
  const comparison = {
    headers: { 'Content-Type': 'application/json' },
    body: new TextEncoder().encode(compareBody(1000, 'float')),
  };
  const {
    result,
    service: probes,
    control,
  } = await latencyDuring(address, () => {
    const started = performance.now();
    const until = () => performance.now() - started > SECONDS * 1000;
    return Promise.all([
      closedLoop({ url: `${address}/v1/embed`, requests: [image], callers: 8, until }),
      closedLoop({ url: `${address}/v1/compare`, requests: [comparison], callers: 1, until }),
    ]);
  });
  const [embeds, compares] = result;
  const delay = (await metric(address, 'nodejs_eventloop_lag_p99_seconds')) as number;
  console.log(
    [
      `embeds: ${JSON.stringify(tally(embeds))}; compares: ${JSON.stringify(tally(compares))}, ` +
        written(latencyOf(compares.map(({ ms }) => ms))),
      `/livez: ${written(probes)}; a server that computes nothing: ${written(control)}`,
      `event-loop delay p99: ${(delay * 1000).toFixed(1)} ms, of which 10 ms are the resolution`,
    ].join('\n'),
  );
  expect(tally([...embeds, ...compares])).toEqual({ 200: embeds.length + compares.length });
  expect(probes.p99).toBeLessThan(control.p99 + 20);
});
