import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { listen } from '../../src/http/server.ts';
import type { RequestRecord } from '../../src/observability/request-record.ts';
import { TinyEngine, testConfig, tinyAdmission } from '../support/engine/engines.ts';
import { lastBody, RawConnection, statuses } from '../support/http/raw-connection.ts';
import { listenWith } from '../support/processes/listening.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const SECRET = '/secret/path';

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

function observe() {
  const records: RequestRecord[] = [];
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: 'trace' }, { write: (line) => logged.push(JSON.parse(line)) });
  return { log, logged, records, observers: [{ observe: (record: RequestRecord) => records.push(record) }] };
}

describe('an error outside the application', () => {
  it('is answered without its reason, logged, and counted', async () => {
    const { log, logged, records, observers } = observe();
    const fetch = () => {
      throw new Error(SECRET);
    };
    const address = { host: '127.0.0.1', port: 0, setting: 'PORT' } as const;
    const server = await listen({ fetch }, address, { config: testConfig(), observers, log });
    ending.push(() => server.close(1));
    const connection = new RawConnection(server.port);
    await connection.write(GET);
    const received = await connection.untilClosed();
    expect(statuses(received)).toEqual([500]);
    const { request_id, ...body } = lastBody(received);
    expect(body).toEqual({ error: 'The request could not be processed.', error_code: 'PROCESSING_ERROR' });
    expect(logged).toContainEqual(
      expect.objectContaining({
        level: 50,
        requestId: request_id,
        err: expect.objectContaining({ message: SECRET }),
      }),
    );
    expect(records).toEqual([expect.objectContaining({ requestId: request_id, status: 500 })]);
  });
});

describe('after the caller has hung up', () => {
  it.each([
    ['one answer', ''],
    ['lines', 'Accept: application/x-ndjson\r\n'],
  ])('an unforeseen error is logged all the same: %s', async (_name, accept) => {
    const { log, logged, records, observers } = observe();
    let fail: ((error: Error) => void) | undefined;
    let signal: AbortSignal | undefined;
    const engine = new TinyEngine({ phase: 'ready' }, () =>
      tinyAdmission({
        embed: (_image, _options, aborted) =>
          new Promise((_, reject) => {
            fail = reject;
            signal = aborted;
          }),
      }),
    );
    const service = await listenWith(testConfig(), engine, { log, observers });
    ending.push(service.close);
    const connection = new RawConnection(service.port);
    await connection.write(
      `POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n${accept}Content-Length: 1\r\n\r\nx`,
    );
    await expect.poll(() => fail, { interval: 5 }).toBeDefined();
    connection.close();
    await expect.poll(() => signal?.aborted, { interval: 5 }).toBe(true);
    fail?.(new Error(SECRET));
    await expect.poll(() => records.length, { interval: 5 }).toBe(1);
    expect(records[0]).toMatchObject({ status: 499, rejection: 'client_gone' });
    expect(JSON.stringify(logged.filter(({ level }) => level === 50))).toContain(SECRET);
  });

  it('its absence is no error', async () => {
    let isEmbedding = false;
    const { log, logged, records, observers } = observe();
    const engine = new TinyEngine({ phase: 'ready' }, () =>
      tinyAdmission({
        embed: (_image, _options, signal) =>
          new Promise((_, reject) => {
            isEmbedding = true;
            signal?.addEventListener('abort', () => reject(signal.reason));
          }),
      }),
    );
    const service = await listenWith(testConfig(), engine, { log, observers });
    ending.push(service.close);
    const connection = new RawConnection(service.port);
    await connection.write(
      'POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 1\r\n\r\nx',
    );
    await expect.poll(() => isEmbedding, { interval: 5 }).toBe(true);
    connection.close();
    await expect.poll(() => records.length, { interval: 5 }).toBe(1);
    expect(records[0]).toMatchObject({ status: 499, rejection: 'client_gone' });
    expect(logged.filter(({ level }) => Number(level) >= 40)).toEqual([]);
  });
});
