import { expect, it } from 'vitest';
import { ServiceClient } from '../../../src/cli/calibrate/service/client.ts';
import { type Refusal, startStandIn } from './stand-in-service.ts';

const PICTURE = Buffer.from('person picture');

/**
 * A client with a clock that advances only while the client sleeps.
 *
 * @param wake when a sleep ends.
 */
async function setup(refuse: (index: number) => Refusal | undefined, wake = Promise.resolve()) {
  const service = await startStandIn({ refuse });
  const sleeps: number[] = [];
  let time = 0;
  const clock = {
    now: () => time,
    async sleep(ms: number) {
      sleeps.push(ms);
      await wake;
      time += ms;
    },
  };
  const client = new ServiceClient({ url: service.url, signal: new AbortController().signal, clock });
  return { client, service, sleeps };
}

it('repeats a refused request after the time that Retry-After names', async () => {
  const { client, service, sleeps } = await setup((index) =>
    index === 0 ? { status: 503, code: 'OVERLOADED', retryAfter: 7 } : undefined,
  );
  expect(await client.embed(PICTURE)).toHaveProperty('embedding');
  expect(service.requests).toHaveLength(2);
  expect(sleeps).toEqual([7_000]);
});

it('doubles the wait after each failure without Retry-After, up to 30 s, and gives up', async () => {
  const { client, sleeps } = await setup(() => ({ status: 0 }));
  expect(await client.embed(PICTURE)).toMatchObject({ code: 'NO_ANSWER' });
  expect(sleeps).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
});

it('holds back every other request for the time of a Retry-After', async () => {
  let wake = () => {};
  const { client, service, sleeps } = await setup(
    (index) => (index === 0 ? { status: 429, retryAfter: 2 } : undefined),
    new Promise((resolve) => {
      wake = resolve;
    }),
  );
  const first = client.embed(PICTURE);
  await expect.poll(() => sleeps, { timeout: 60_000 }).toEqual([2_000]);
  const second = client.embed(PICTURE);
  expect(sleeps).toEqual([2_000, 2_000]);
  expect(service.requests).toHaveLength(1);
  wake();
  for (const face of [await first, await second]) expect(face).toHaveProperty('embedding');
  expect(service.requests).toHaveLength(3);
});

it('does not repeat an error that another attempt cannot change', async () => {
  const { client, service, sleeps } = await setup(() => ({ status: 422, code: 'NO_FACE_DETECTED' }));
  expect(await client.embed(PICTURE)).toEqual({ code: 'NO_FACE_DETECTED', reason: 'Refused.' });
  expect(service.requests).toHaveLength(1);
  expect(sleeps).toEqual([]);
});
