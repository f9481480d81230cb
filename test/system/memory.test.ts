import { expect, it } from 'vitest';
import { generateLoad, tally } from '../support/load.ts';
import { blobsPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/service-process.ts';

it('memory stays where it is after hundreds of photographs', async () => {
  const service = new ServiceProcess({
    WORKERS: '2',
    MAX_QUEUE: '1000',
    MALLOC_ARENA_MAX: '2',
    REQUEST_TIMEOUT_MS: '60000',
  });
  const address = await service.ready();
  const bodies = await Promise.all([blobsPng(1, 1280, 960), blobsPng(2, 400, 300), blobsPng(3, 1920, 1080)]);
  const requests = bodies.map((body) => ({ headers: { 'Content-Type': 'image/png' }, body }));
  const round = async () => {
    // One picture more or less would be three megabytes: 300 of them leave no doubt.
    const outcomes = await generateLoad({
      url: `${address}/v1/embed`,
      rate: 40,
      seconds: 7.5,
      requests,
      maxOpen: 8,
    });
    expect(Object.keys(tally(outcomes))).toEqual(['200']);
    return { served: outcomes.length, memory: service.memory };
  };
  const first = await round();
  const second = await round();
  console.log(
    `memory: ${first.memory.toFixed(0)} MiB after ${first.served} photographs, ${second.memory.toFixed(0)} after as many more`,
  );
  expect(second.served).toBeGreaterThan(100);
  expect(second.memory - first.memory).toBeLessThan(60);
  service.kill('SIGTERM');
  expect(await service.exit).toEqual({ code: 0, signal: null });
});
