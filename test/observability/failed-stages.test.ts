import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import type { RequestRecord } from '../../src/observability/request-record.ts';
import { startEngine, testConfig } from '../support/engine/engines.ts';
import { assembleApp } from '../support/http/app.ts';
import { blankPng, blobsPng, slowPng } from '../support/pictures.ts';

const config = testConfig({ REQUEST_TIMEOUT_MS: '50' });
const records: RequestRecord[] = [];
let engine: InferenceEngine;
let app: ReturnType<typeof assembleApp>['app'];

beforeAll(async () => {
  engine = await startEngine(config);
  ({ app } = assembleApp(config, engine, { observers: [{ observe: (record) => records.push(record) }] }));
});
afterAll(() => engine.close());

/** Posts an image; returns the status and the names of the stages of each image in the record of the request. */
async function stagesOf(
  body: NonNullable<RequestInit['body']>,
  headers: Record<string, string> = { 'Content-Type': 'image/png' },
) {
  const id = randomUUID();
  const init = { method: 'POST', headers: { ...headers, 'X-Request-Id': id }, body };
  const response = await app.request('/v1/embed', init);
  const record = records.find(({ requestId }) => requestId === id);
  return {
    status: response.status,
    timing: response.headers.get('server-timing') ?? '',
    laps: record?.laps.map(({ stages }) => Object.keys(stages)),
    record,
  };
}

describe('the stages of an image that fails', () => {
  it('end with the one that it failed in', async () => {
    const picture = await blobsPng(1);
    const broken = picture.slice(0, picture.length / 2);
    expect(await stagesOf(broken)).toMatchObject({
      status: 422,
      laps: [['queue', 'decode']],
      timing: expect.stringMatching(/^queue;dur=[\d.]+, decode;dur=[\d.]+$/),
    });
    expect(await stagesOf(await blankPng())).toMatchObject({
      status: 422,
      laps: [['queue', 'decode', 'detect']],
    });
  });

  it('are those of a batch, too', async () => {
    const form = new FormData();
    const picture = await blobsPng(2);
    for (const bytes of [picture, await blankPng(), picture.slice(0, picture.length / 2)]) {
      form.append('image', new Blob([bytes]));
    }
    const { status, laps } = await stagesOf(form, {});
    expect(status).toBe(200);
    expect(laps?.toSorted((a, b) => a.length - b.length)).toEqual([
      ['queue', 'decode'],
      ['queue', 'decode', 'detect'],
      ['queue', 'decode', 'detect', 'align', 'quality', 'recognise'],
    ]);
  });

  it('that waited too long is the wait', async () => {
    const slow = stagesOf(await slowPng());
    const late = await Promise.all([1, 2, 3].map(async () => stagesOf(await blobsPng(3))));
    await slow;
    for (const { status, laps, record } of late.filter((one) => one.status === 504)) {
      expect([status, laps]).toEqual([504, [['queue']]]);
      expect(record?.laps[0]?.stages.queue).toBeGreaterThanOrEqual(49);
    }
    expect(late.some(({ status }) => status === 504)).toBe(true);
  });
});
