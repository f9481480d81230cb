import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FaceEmbeddingClient } from '../../../clients/typescript/src/index.ts';
import { blobs, bytesOf } from '../../support/pictures.ts';
import { ServiceProcess } from '../../support/processes/service-process.ts';
import { hasRealWeights, MODELS, photo } from '../../support/shared.ts';

/** The promise is about what is offered after this time of overload. */
const SETTLING_MS = 10_000;

/** Calls that are counted after that. */
const CALLS = 120;

const SYNTHETIC = { WORKERS: '1', MAX_QUEUE: '8' };
const REAL = { ...SYNTHETIC, MODELS_DIR: MODELS, MODEL_NAME: 'buffalo_sc_dq' };

/** Requests of `/v1/embed` that the service has answered so far. */
async function answered(url: string): Promise<{ served: number; refused: number }> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const counts = { served: 0, refused: 0 };
  for (const [, status, count] of text.matchAll(
    /^face_http_requests_total\{route="\/v1\/embed",status="(\d+)"[^}]*\} (\d+)$/gm,
  ))
    counts[status === '503' ? 'refused' : 'served'] += Number(count);
  return counts;
}

const SCENES = [
  { what: 'one client with 60 callers', clients: 1, callers: 60, settings: SYNTHETIC },
  { what: '20 clients with 3 callers each', clients: 20, callers: 3, settings: SYNTHETIC },
  ...(hasRealWeights
    ? [{ what: '10 clients with 4 callers each and real weights', clients: 10, callers: 4, settings: REAL }]
    : []),
];

describe.each(SCENES)('a service that is overloaded by $what', ({ clients, callers, settings }) => {
  it('answers every call in time, and is offered at most 1.5 times of what it takes', async () => {
    const service = new ServiceProcess(settings);
    try {
      const url = await service.ready();
      const isReal = settings === REAL;
      const image = isReal
        ? photo('lfw/Abdullah_0002.jpg')
        : bytesOf(await blobs(1, 1600, 1200).jpeg().toBuffer());
      // Also on a machine that is busy with other work.
      const options = { faces: 'largest', timeoutMs: 240_000 } as const;
      let isOver = false;
      const failures: unknown[] = [];
      const call = async (client: FaceEmbeddingClient) => {
        while (!isOver) await client.embed(image, options).catch((error) => failures.push(error));
      };
      const all = Array.from({ length: clients }, () => new FaceEmbeddingClient({ url }));
      const loops = all.flatMap((client) => Array.from({ length: callers }, () => call(client)));

      await sleep(SETTLING_MS);
      const before = await answered(url);
      let after = before;
      while (after.served - before.served < CALLS) {
        await sleep(200);
        after = await answered(url);
      }
      isOver = true;
      await Promise.all(loops);

      const served = after.served - before.served;
      const refused = after.refused - before.refused;
      console.log(`${served} served, ${refused} refused: offered ${(1 + refused / served).toFixed(2)} times`);
      expect(failures).toEqual([]);
      expect(before.refused).toBeGreaterThan(0);
      expect(served + refused).toBeLessThanOrEqual(1.5 * served);
    } finally {
      await service.end();
    }
  });
});
