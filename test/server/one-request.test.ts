import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobsPng } from '../support/pictures.ts';
import { freePort } from '../support/processes/free-port.ts';
import { startOtlpCollector } from '../support/processes/otlp-collector.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';

const KEY = 'correct-horse-battery-staple';
const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT_ID = '00f067aa0ba902b7';

let service: ServiceProcess;
let collector: Awaited<ReturnType<typeof startOtlpCollector>>;
let address: string;
let metricsPort: number;

beforeAll(async () => {
  collector = await startOtlpCollector();
  metricsPort = await freePort();
  service = new ServiceProcess({
    API_KEYS: `door=${KEY}`,
    METRICS_PORT: String(metricsPort),
    TRUSTED_PROXIES: '127.0.0.0/8',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '100',
  });
  address = await service.ready();
});
afterAll(async () => {
  expect(await service.stop()).toEqual({ code: 0, signal: null });
  await collector.close();
});

/** The only log record of a request. */
async function lineOf(id: string): Promise<Record<string, unknown>> {
  const lines = () => service.log.filter(({ requestId }) => requestId === id);
  await expect.poll(() => lines().length).toBeGreaterThan(0);
  const [line, ...others] = lines();
  expect(others).toEqual([]);
  return line as Record<string, unknown>;
}

describe('a request to the service', () => {
  it('is logged once, traced and counted', async () => {
    const picture = await blobsPng(4);
    const answer = await fetch(`${address}/v1/embed?faces=all`, {
      method: 'POST',
      headers: {
        'Content-Type': 'image/png',
        'X-API-Key': KEY,
        'X-Request-Id': 'abc-1',
        // The first one is invented by the caller, the second was appended by the proxy.
        'X-Forwarded-For': '203.0.113.9, 198.51.100.7',
        traceparent: `00-${TRACE_ID}-${PARENT_ID}-01`,
      },
      body: picture,
    });
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();

    const line = await lineOf('abc-1');
    expect(line).toMatchObject({
      level: 30,
      msg: 'request',
      method: 'POST',
      route: '/v1/embed',
      status: 200,
      traceId: TRACE_ID,
      parentSpanId: PARENT_ID,
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
      client: '198.51.100.7',
      keyName: 'door',
      bytesIn: picture.length,
      picture: { width: 320, height: 240 },
      faces: 1,
      ms: expect.any(Number),
      stages: {
        queue: expect.any(Number),
        decode: expect.any(Number),
        detect: expect.any(Number),
        align: expect.any(Number),
        quality: expect.any(Number),
        recognise: expect.any(Number),
      },
    });

    await expect.poll(() => collector.spans.length).toBe(7);
    const root = collector.spans.find(({ name }) => name === 'POST /v1/embed');
    expect(root).toMatchObject({ traceId: TRACE_ID, parentSpanId: PARENT_ID, spanId: line?.spanId });

    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    expect(metrics).toContain('face_http_requests_total{route="/v1/embed",status="200",error_code=""} 1\n');
    expect(metrics).toContain('face_key_requests_total{key="door",error_code=""} 1\n');
    // Callers would make series without end.
    expect(metrics).not.toContain('198.51');
  });

  it('is logged with its error code and without its key', async () => {
    const answer = await fetch(`${address}/v1/compare?token=hidden`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'X-API-Key': 'wrong-key-0123456789',
        'X-Request-Id': 'abc-2',
      },
      body: '{}',
    });
    expect(answer.status).toBe(401);
    expect(await lineOf('abc-2')).toMatchObject({
      status: 401,
      client: '127.0.0.1',
      errorCode: 'UNAUTHORIZED',
      rejection: 'unauthorized',
    });
    for (const secret of [KEY, 'wrong-key', 'hidden']) expect(service.stdout).not.toContain(secret);
  });
});
