import { afterEach, expect, it } from 'vitest';
import { closedLoop, tally } from '../support/http/load.ts';
import { blobsPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';

let service: ServiceProcess;
afterEach(() => service.end());

it('memory does not grow with the number of photographs', async () => {
  service = new ServiceProcess({ WORKERS: '2', MALLOC_ARENA_MAX: '2' });
  const address = await service.ready();
  const bodies = await Promise.all([blobsPng(1, 1280, 960), blobsPng(2, 400, 300), blobsPng(3, 1920, 1080)]);
  const requests = bodies.map((body) => ({ headers: { 'Content-Type': 'image/png' }, body }));
  const embedMany = async () => {
    const url = `${address}/v1/embed`;
    const outcomes = await closedLoop({ url, requests, callers: 8, until: ({ length }) => length >= 200 });
    expect(tally(outcomes)).toEqual({ 200: outcomes.length });
    return service.memory;
  };
  const first = await embedMany();
  const second = await embedMany();
  console.log(`memory: ${first.toFixed(0)} MiB after 200 photographs, ${second.toFixed(0)} after 400`);
  // A decoded picture takes 3 MiB on average: if each were kept, there would be 600 MiB more.
  expect(second - first).toBeLessThan(60);
  expect(await service.stop()).toEqual({ code: 0, signal: null });
});
