import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { builtFile } from '../../src/config/package.ts';
import type { JsonJob } from '../../src/json/jobs.ts';
import { JsonService } from '../../src/json/service.ts';
import { silentLog } from '../support/engine/engines.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const services: JsonService[] = [];

afterEach(() => Promise.all(services.splice(0).map((service) => service.close())));

/** @param entry of the thread. By default there is none, so that only what needs no thread succeeds. */
function createService(entry = new URL('file:///missing/worker.js')): JsonService {
  const service = new JsonService({ maxQueue: 9, maxWait: 60_000, maxRun: 0, log: silentLog, entry });
  services.push(service);
  return service;
}

const block = (count: number, length: number, id = 'x') => ({
  ids: Array.from({ length: count }, () => id),
  embeddings: Buffer.from(new Float32Array(count * length).fill(1).buffer).toString('base64'),
});

function compareJob(body: object): JsonJob & { kind: 'compare' } {
  const limits = { references: 10_000, comparisons: 10_000_000, pictures: 9, imageBytes: 1000 };
  const bytes = new Uint8Array(Buffer.from(JSON.stringify(body)));
  return { kind: 'compare', body: bytes, limits, maxAnswerBytes: 1e9 };
}

const many = (queries: object, references: object) =>
  compareJob({ query_embeddings: queries, reference_embeddings: references, top_k: 1 });

const NO_THREAD = { code: 'OVERLOADED', reason: 'no_thread' };

describe('the calling thread', () => {
  it.each([
    ['a few embeddings', many(block(10, 4), block(10, 4))],
    ['one query and as many references as fit', many(block(1, 1), block(1500, 1))],
    ['long embeddings', many(block(5, 1000), block(5, 1000))],
  ])('compares %s itself', async (_name, job) => {
    await expect(createService().run(job)).resolves.toMatchObject({ waited: 0 });
  });

  it.each([
    ['a million comparisons in kilobytes', many(block(1000, 1), block(1000, 1))],
    ['ids that the answers repeat', many(block(300, 1), block(2, 1, 'x'.repeat(10_000)))],
    ['a body of more bytes', many(block(2, 8000), block(2, 8000))],
  ])('leaves %s to the JSON thread', async (_name, job) => {
    await expect(createService().run(job)).rejects.toMatchObject(NO_THREAD);
    // As it was: it can still be sent.
    expect(job.body.length).toBeGreaterThan(0);
  });

  it('leaves ranking to the JSON thread when it is that much', async () => {
    const rankJob = (count: number): JsonJob & { kind: 'rank' } => {
      const vectors = { count, length: 1, values: new Float64Array(count).fill(1) };
      const ids = Array.from({ length: count }, () => 'x');
      const comparison = { queryIds: ids, queries: vectors, referenceIds: ids, references: vectors };
      const options = { distance_metric: 'cosine', top_k: 1 } as const;
      const notes = { references: new Map(), model: {} };
      return {
        kind: 'rank',
        comparison: { ...comparison, options: options as never },
        notes,
        maxAnswerBytes: 1e9,
      };
    };
    await expect(createService().run(rankJob(30))).resolves.toMatchObject({ waited: 0 });
    await expect(createService().run(rankJob(1000))).rejects.toMatchObject(NO_THREAD);
  });
});

describe('the JSON thread', () => {
  it('answers what the calling thread leaves to it', async () => {
    const { result } = await createService(builtFile('json/worker.js')).run(
      many(block(1000, 1), block(1000, 1)),
    );
    const { answer } = result as { answer: Uint8Array };
    expect(JSON.parse(new TextDecoder().decode(answer)).results).toHaveLength(1000);
  });

  it('is started again when it could not be at first, and callers meanwhile are told so', async () => {
    const path = join(await temporaryFolder(), 'worker.mjs');
    const service = createService(pathToFileURL(path));
    const run = () => service.run(many(block(1000, 1), block(1000, 1)));
    const refusal = { ...NO_THREAD, message: expect.stringContaining('could not be started') };
    await expect(run()).rejects.toMatchObject({ ...refusal, retryAfter: expect.any(Number) });
    writeFileSync(path, `import ${JSON.stringify(builtFile('json/worker.js').href)};`);
    await expect.poll(() => run().catch(({ code }) => code)).toMatchObject({ result: {} });
  });
});
