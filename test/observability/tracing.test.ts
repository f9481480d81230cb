import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { StartupError } from '../../src/errors.ts';
import {
  createRequestRecord,
  type RequestRecord,
  type StageTimes,
} from '../../src/observability/request-record.ts';
import { SdkDiagnostics } from '../../src/observability/span-diagnostics.ts';
import { startTracing, type Tracing } from '../../src/observability/tracing.ts';
import { type CollectorAnswer, type OtlpCollector, startOtlpCollector } from '../support/otlp-collector.ts';
import { ROOT } from '../support/shared.ts';
import { temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const FROM_CALLER = `00-${TRACE}-${PARENT}-01`;
const SHOULD_NOT_SHARE = `00-${TRACE}-${PARENT}-00`;

/** Nobody listens on port 1. */
const NOBODY = 'http://127.0.0.1:1';

// The SDK reads the process's own variables: a developer's must not get in.
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) vi.stubEnv(name, undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

async function collect(answer?: CollectorAnswer): Promise<OtlpCollector> {
  const collector = await startOtlpCollector(answer);
  onTestFinished(collector.close);
  return collector;
}

/** Tracing as the service starts it, and what it logs. */
async function start(variables: Record<string, string>) {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: 'trace' }, { write: (line) => logged.push(JSON.parse(line)) });
  const tracing = await startTracing({
    environment: process.env,
    serviceName: 'faces',
    version: '1.2.3',
    log,
  });
  return { tracing, logged };
}

async function startFor(endpoint: string, variables: Record<string, string> = {}) {
  const { tracing, logged } = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...variables });
  if (tracing === undefined) throw new Error('tracing was not started');
  return { tracing: tracing as Tracing, logged };
}

/** A request that has been answered. */
function answered(about: Partial<RequestRecord> & { traceparent?: string } = {}): RequestRecord {
  const { traceparent, method = 'POST', ...rest } = about;
  const record = createRequestRecord({ requestId: 'request-1', method, traceparent });
  return Object.assign(record, { route: '/embed', status: 200, duration: 40, ...rest });
}

const lap = (startedAt: number, stages: StageTimes) => ({ startedAt, stages });

describe('a trace', () => {
  it('has a span for the request, with the ids of its record, and one for each stage in turn', async () => {
    const collector = await collect();
    const { tracing } = await startFor(collector.url);
    const request = answered({ traceparent: FROM_CALLER });
    const durations = { queue: 3, decode: 5.25, detect: 12.5 };
    request.laps.push(lap(request.startedAt + 2, durations));
    tracing.record(request);
    await tracing.shutdown();

    const [server, ...others] = collector.spans.toSorted((p, q) => q.kind - p.kind || p.start - q.start);
    expect(server).toMatchObject({
      name: 'POST /embed',
      kind: 2,
      traceId: TRACE,
      parentSpanId: PARENT,
      spanId: request.spanId,
      status: 0,
      scope: { name: 'faces', version: '1.2.3' },
    });
    expect(server?.start).toBeCloseTo(request.startedAt, 2);
    expect(server?.end).toBeCloseTo(request.startedAt + 40, 2);

    expect(others.map(({ name }) => name)).toEqual(['queue', 'decode', 'detect']);
    let time = request.startedAt + 2;
    for (const stage of others) {
      expect(stage).toMatchObject({ kind: 1, traceId: TRACE, parentSpanId: request.spanId, status: 0 });
      expect(stage.start).toBeCloseTo(time, 2);
      time += durations[stage.name as keyof typeof durations];
      expect(stage.end).toBeCloseTo(time, 2);
    }
    expect(new Set(collector.spans.map(({ spanId }) => spanId)).size).toBe(4);
  });

  it('has the stages of each image of a batch, which overlap', async () => {
    const collector = await collect();
    const { tracing } = await startFor(collector.url);
    const request = answered();
    request.laps.push(lap(request.startedAt, { queue: 5, decode: 10 }));
    request.laps.push(lap(request.startedAt + 1, { queue: 10, decode: 20 }));
    tracing.record(request);
    await tracing.shutdown();
    const spans = collector.spans
      .filter(({ kind }) => kind === 1)
      .map(({ name, start, end }) => [
        name,
        // A little less than nothing rounds to −0, which is not equal to 0.
        Math.round(start - request.startedAt) + 0,
        Math.round(end - request.startedAt) + 0,
      ]);
    expect(spans).toEqual([
      ['queue', 0, 5],
      ['decode', 5, 15],
      ['queue', 1, 11],
      ['decode', 11, 31],
    ]);
  });

  it('begins here, with the logged ids, when the caller has none', async () => {
    const collector = await collect();
    const { tracing } = await startFor(collector.url);
    const requests = [answered(), answered()];
    for (const request of requests) tracing.record(request);
    await tracing.shutdown();
    expect(collector.spans).toMatchObject(
      requests.map(({ trace, spanId }) => ({ traceId: trace.traceId, spanId, parentSpanId: undefined })),
    );
  });

  it('tells what may be known of a request, by the semantic conventions', async () => {
    const collector = await collect();
    const { tracing } = await startFor(collector.url);
    tracing.record(
      answered({
        bytesIn: 4_711,
        images: [{ picture: { width: 640, height: 480 }, faces: 2 }],
        keyName: 'kiosk',
      }),
    );
    await tracing.shutdown();
    // The whole of it: nothing else may leave.
    expect(collector.spans[0]?.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': '/embed',
      'http.response.status_code': 200,
      'http.request.body.size': 4_711,
      'face.count': 2,
      'face.image.count': 1,
      'face.image.width': 640,
      'face.image.height': 480,
      'api_key.name': 'kiosk',
    });
  });

  it('counts only 5xx as an error of the service, and names the code of any', async () => {
    const collector = await collect();
    const { tracing } = await startFor(collector.url);
    tracing.record(answered({ status: 422, errorCode: 'NO_FACE_DETECTED' }));
    tracing.record(answered({ status: 503, errorCode: 'OVERLOADED' }));
    tracing.record(answered({ status: 500 }));
    await tracing.shutdown();
    expect(collector.spans.map(({ status, attributes }) => [status, attributes['error.type']])).toEqual([
      [0, 'NO_FACE_DETECTED'],
      [2, 'OVERLOADED'],
      [2, '500'],
    ]);
  });

  it('names neither an unknown path nor an unknown method', async () => {
    const collector = await collect();
    const { tracing } = await startFor(collector.url);
    tracing.record(answered({ method: 'PROPFIND', route: 'unmatched', status: 404, errorCode: 'NOT_FOUND' }));
    await tracing.shutdown();
    const [span] = collector.spans;
    expect(span?.name).toBe('HTTP unmatched');
    expect(span?.attributes).toMatchObject({ 'http.request.method': '_OTHER' });
    expect(span?.attributes).not.toHaveProperty('http.route');
  });
});

describe('sampling', () => {
  it('leaves out what the caller does not sample', async () => {
    const collector = await collect();
    const { tracing } = await startFor(collector.url);
    tracing.record(answered({ traceparent: SHOULD_NOT_SHARE, laps: [lap(0, { queue: 1 })] }));
    await tracing.shutdown();
    expect(collector.requests).toEqual([]);
  });

  it('is what OTEL_TRACES_SAMPLER says', async () => {
    const collector = await collect();
    const { tracing } = await startFor(collector.url, { OTEL_TRACES_SAMPLER: 'parentbased_always_off' });
    tracing.record(answered());
    tracing.record(answered({ traceparent: FROM_CALLER }));
    await tracing.shutdown();
    expect(collector.spans.map(({ traceId }) => traceId)).toEqual([TRACE]);
  });
});

describe('the resource', () => {
  it('is the service unless the operator names it', async () => {
    const collector = await collect();
    const { tracing } = await startFor(collector.url);
    tracing.record(answered());
    await tracing.shutdown();
    expect(collector.spans[0]?.resource).toMatchObject({
      'service.name': 'faces',
      'service.version': '1.2.3',
      'service.instance.id': expect.any(String),
      'telemetry.sdk.language': 'nodejs',
    });
  });

  it("takes the operator's name and attributes, and the exporter his headers", async () => {
    const collector = await collect();
    const { tracing } = await startFor(collector.url, {
      OTEL_SERVICE_NAME: 'faces-blue',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=not-this,deployment.environment.name=staging',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=seven',
    });
    tracing.record(answered());
    await tracing.shutdown();
    expect(collector.spans[0]?.resource).toMatchObject({
      'service.name': 'faces-blue',
      'deployment.environment.name': 'staging',
    });
    expect(collector.requests[0]).toMatchObject({
      path: '/v1/traces',
      headers: { 'x-tenant': 'seven', 'content-type': 'application/json' },
    });
  });
});

describe('a collector in trouble', () => {
  /** Batches leave at once, and are not tried again. */
  const IMPATIENT = { OTEL_BSP_SCHEDULE_DELAY: '5', OTEL_EXPORTER_OTLP_TIMEOUT: '500' };

  it('costs one log line while it is down', async () => {
    const { tracing, logged } = await startFor(NOBODY, IMPATIENT);
    for (let i = 0; i < 20; i++) {
      tracing.record(answered());
      await sleep(20);
    }
    expect(logged).toMatchObject([{ level: 40, reason: expect.stringContaining('ECONNREFUSED') }]);
    await tracing.shutdown();
  });

  it('costs one log line while it answers 500, and is used again when it has recovered', async () => {
    const collector = await collect(500);
    const { tracing, logged } = await startFor(collector.url, IMPATIENT);
    tracing.record(answered());
    await vi.waitFor(() => expect(logged).toHaveLength(1));
    tracing.record(answered());
    await vi.waitFor(() => expect(collector.requests).toHaveLength(2));
    expect(logged).toMatchObject([{ level: 40, reason: 'Internal Server Error (500)' }]);
    collector.answer = 200;
    tracing.record(answered());
    await vi.waitFor(() => expect(collector.spans).toHaveLength(1));
    await tracing.shutdown();
    expect(logged).toHaveLength(1);
  });

  it('makes spans be dropped, not kept, when it is slow', async () => {
    const collector = await collect('nothing');
    const { tracing } = await startFor(collector.url, {
      ...IMPATIENT,
      OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
      OTEL_BSP_MAX_QUEUE_SIZE: '8',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '4',
    });
    for (let i = 0; i < 1_000; i++) tracing.record(answered());
    collector.answer = 200;
    await tracing.shutdown();
    expect(collector.spans.length).toBeGreaterThan(0);
    expect(collector.spans.length).toBeLessThanOrEqual(12);
  });

  it('holds up the shutdown for no more than a few seconds', async () => {
    const collector = await collect('nothing');
    const { tracing, logged } = await startFor(collector.url);
    tracing.record(answered());
    const begin = performance.now();
    await tracing.shutdown();
    expect(performance.now() - begin).toBeLessThan(4_500);
    expect(collector.requests).toHaveLength(1);
    expect(logged).toMatchObject([{ level: 40, reason: 'the collector does not answer' }]);
  });

  it('is asked no more after the shutdown', async () => {
    const collector = await collect();
    const { tracing } = await startFor(collector.url, IMPATIENT);
    await tracing.shutdown();
    tracing.record(answered());
    await sleep(100);
    expect(collector.requests).toEqual([]);
  });
});

describe('the complaints of the SDK', () => {
  it('are told once a minute, with how many were not', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const logged: Record<string, unknown>[] = [];
    const diagnostics = new SdkDiagnostics(pino({}, { write: (line) => logged.push(JSON.parse(line)) }));
    const tell = (...parts: unknown[]) => diagnostics.error(...parts);
    tell('one variable');
    tell('another variable');
    diagnostics.startThrottling();
    tell('{"name":"AggregateError","code":"ECONNREFUSED","stack":"at a place"}');
    tell('unheard');
    vi.advanceTimersByTime(59_000);
    tell('unheard');
    vi.advanceTimersByTime(1_000);
    tell('partial success:', '{"rejectedSpans":3}', new Uint8Array(9));
    expect(logged.map(({ reason, suppressed }) => [reason, suppressed])).toEqual([
      ['one variable', 0],
      ['another variable', 0],
      ['AggregateError (ECONNREFUSED)', 0],
      ['partial success: {"rejectedSpans":3}', 2],
    ]);
  });
});

describe('startTracing', () => {
  it.each([
    ['no endpoint is set', {}],
    ['the endpoint is empty', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }],
    ['the SDK is disabled', { OTEL_EXPORTER_OTLP_ENDPOINT: NOBODY, OTEL_SDK_DISABLED: 'TRUE' }],
    ['traces are not wanted', { OTEL_EXPORTER_OTLP_ENDPOINT: NOBODY, OTEL_TRACES_EXPORTER: 'none' }],
  ])('does nothing when %s', async (_when, variables) => {
    expect(await start(variables as Record<string, string>)).toEqual({ tracing: undefined, logged: [] });
  });

  it('takes an endpoint for traces alone, with its path', async () => {
    const collector = await collect();
    const { tracing } = await start({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces` });
    tracing?.record(answered());
    await tracing?.shutdown();
    expect(collector.spans).toHaveLength(1);
  });

  it.each(['collector:4317', 'grpc://collector:4317', 'http://', 'http://collector:4318 '])(
    'refuses the endpoint "%s", with which the exporter would never succeed',
    async (endpoint) => {
      const refused = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).catch((error) => error);
      expect(refused).toBeInstanceOf(StartupError);
      expect(refused.message).toContain('OTEL_EXPORTER_OTLP_ENDPOINT');
    },
  );

  it('says which protocol it uses when another is asked for', async () => {
    const { tracing, logged } = await startFor(NOBODY, { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
    await tracing.shutdown();
    expect(logged).toMatchObject([{ level: 40, protocol: 'grpc', used: 'http/json' }]);
  });

  it.each(['http/json', 'http/protobuf'])('has nothing to say about %s', async (protocol) => {
    const { tracing, logged } = await startFor(NOBODY, { OTEL_EXPORTER_OTLP_PROTOCOL: protocol });
    await tracing.shutdown();
    expect(logged).toEqual([]);
  });

  it('loads the SDK only where an endpoint is set', async () => {
    // The built files beside packages that cannot be imported: whoever tries fails.
    const folder = await temporaryFolder();
    for (const built of ['observability', 'errors.js'])
      await cp(join(ROOT, 'dist', built), join(folder, 'dist', built), { recursive: true });
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const sealed = Object.keys(dependencies).map((name) => [
      join('node_modules', name, 'package.json'),
      '{ "exports": {} }',
    ]);
    await writeFiles(folder, {
      ...Object.fromEntries(sealed),
      'package.json': '{ "type": "module" }',
      'start.js': `import { startTracing } from './dist/observability/tracing.js';
        const tracing = await startTracing({ environment: process.env }).catch((error) => error.message);
        process.stdout.write(String(tracing));`,
    });
    const run = (env: Record<string, string>) =>
      execFileSync(process.execPath, [join(folder, 'start.js')], { env, encoding: 'utf8' });
    expect(run({})).toBe('undefined');
    expect(run({ OTEL_EXPORTER_OTLP_ENDPOINT: NOBODY })).toMatch(/"exports".*@opentelemetry/);
  });
});
