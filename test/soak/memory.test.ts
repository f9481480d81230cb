import { afterEach, expect, it } from 'vitest';
import { closedLoop, tally } from '../support/http/load.ts';
import { blobsPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';

const ROUNDS = 5;
const PHOTOGRAPHS = 2000;

let service: ServiceProcess;
afterEach(() => service.end());

it('memory stays the same over ten thousand photographs', async () => {
  service = new ServiceProcess({ WORKERS: '2', MALLOC_ARENA_MAX: '2' });
  const url = `${await service.ready()}/v1/embed`;
  const bodies = await Promise.all([blobsPng(1, 1280, 960), blobsPng(2, 400, 300), blobsPng(3, 1920, 1080)]);
  const requests = bodies.map((body) => ({ headers: { 'Content-Type': 'image/png' }, body }));
  const memory: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const until = ({ length }: { length: number }) => length >= PHOTOGRAPHS;
    const outcomes = await closedLoop({ url, requests, callers: 8, until });
    expect(tally(outcomes)).toEqual({ 200: outcomes.length });
    memory.push(service.memory);
  }
  console.log(
    `memory after each ${PHOTOGRAPHS} photographs: ${memory.map((mib) => mib.toFixed(0)).join(', ')} MiB`,
  );
  expect((memory.at(-1) as number) - (memory[0] as number)).toBeLessThan(40);
});
