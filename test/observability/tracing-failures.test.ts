import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { StartupError } from '../../src/errors.ts';
import { SdkDiagnostics } from '../../src/observability/span-diagnostics.ts';
import { ROOT } from '../support/shared.ts';
import { temporaryFolder, writeFiles } from '../support/temporary-folder.ts';
import { answeredRequest, NO_COLLECTOR, start, startCollector, startFor } from './traced-requests.ts';

describe('a failing collector', () => {
  /** Batches are exported at once. */
  const AT_ONCE = { OTEL_BSP_SCHEDULE_DELAY: '5' };
  /** An export is not tried again: the SDK does that only if more than a second is left. */
  const NO_RETRY = { OTEL_EXPORTER_OTLP_TIMEOUT: '500' };

  it('causes one log line while it is down', async () => {
    const { tracing, logged } = await startFor(NO_COLLECTOR, { ...AT_ONCE, ...NO_RETRY });
    tracing.record(answeredRequest());
    await expect.poll(() => logged.length).toBe(1);
    for (let i = 0; i < 10; i++) {
      tracing.record(answeredRequest());
      await sleep(10);
    }
    await tracing.shutdown();
    expect(logged).toMatchObject([{ level: 40, reason: expect.stringContaining('ECONNREFUSED') }]);
  });

  it('causes one log line while it answers 500, and is used again when it has recovered', async () => {
    const collector = await startCollector(500);
    const { tracing, logged } = await startFor(collector.url, AT_ONCE);
    tracing.record(answeredRequest());
    await expect.poll(() => logged.length).toBe(1);
    tracing.record(answeredRequest());
    await expect.poll(() => collector.requests.length).toBe(2);
    expect(logged).toMatchObject([{ level: 40, reason: 'Internal Server Error (500)' }]);
    collector.answer = 200;
    tracing.record(answeredRequest());
    await expect.poll(() => collector.spans.length).toBe(1);
    await tracing.shutdown();
    expect(logged).toHaveLength(1);
  });

  it('makes spans be dropped, not kept, when it is slow', async () => {
    const collector = await startCollector('nothing');
    const { tracing } = await startFor(collector.url, {
      ...AT_ONCE,
      ...NO_RETRY,
      OTEL_BSP_MAX_QUEUE_SIZE: '8',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '4',
    });
    for (let i = 0; i < 1_000; i++) tracing.record(answeredRequest());
    collector.answer = 200;
    await tracing.shutdown();
    await expect.poll(() => collector.spans.length).toBeGreaterThan(0);
    expect(collector.spans.length).toBeLessThanOrEqual(12);
  });

  it('does not hold up the shutdown for as long as the SDK would wait', async () => {
    const collector = await startCollector('nothing');
    const { tracing, logged } = await startFor(collector.url, { OTEL_EXPORTER_OTLP_TIMEOUT: '600000' });
    tracing.record(answeredRequest());
    await tracing.shutdown();
    await expect.poll(() => collector.requests.length).toBe(1);
    expect(logged).toMatchObject([{ level: 40, reason: 'the collector does not answer' }]);
  });

  it('receives nothing after the shutdown', async () => {
    const collector = await startCollector();
    const { tracing } = await startFor(collector.url, AT_ONCE);
    await tracing.shutdown();
    tracing.record(answeredRequest());
    await sleep(100);
    expect(collector.requests).toEqual([]);
  });
});

describe('problems that the SDK reports', () => {
  it('are logged once a minute, with the number of those left out', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const logged: Record<string, unknown>[] = [];
    const diagnostics = new SdkDiagnostics(pino({}, { write: (line) => logged.push(JSON.parse(line)) }));
    const report = (...parts: unknown[]) => diagnostics.error(...parts);
    report('one variable');
    report('another variable');
    diagnostics.startThrottling();
    report('{"name":"AggregateError","code":"ECONNREFUSED","stack":"at a place"}');
    report('left out');
    vi.advanceTimersByTime(59_000);
    report('left out');
    vi.advanceTimersByTime(1_000);
    report('partial success:', '{"rejectedSpans":3}', new Uint8Array(9));
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
    ['the SDK is disabled', { OTEL_EXPORTER_OTLP_ENDPOINT: NO_COLLECTOR, OTEL_SDK_DISABLED: 'TRUE' }],
    ['traces are not wanted', { OTEL_EXPORTER_OTLP_ENDPOINT: NO_COLLECTOR, OTEL_TRACES_EXPORTER: 'none' }],
  ])('does nothing when %s', async (_when, variables) => {
    expect(await start(variables as Record<string, string>)).toEqual({ tracing: undefined, logged: [] });
  });

  it('accepts an endpoint for traces only, with its path', async () => {
    const collector = await startCollector();
    const { tracing } = await start({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces` });
    tracing?.record(answeredRequest());
    await tracing?.shutdown();
    await expect.poll(() => collector.spans.length).toBe(1);
  });

  it.each(['collector:4317', 'grpc://collector:4317', 'http://', 'http://collector:4318 '])(
    'refuses the endpoint "%s", with which the exporter would never succeed',
    async (endpoint) => {
      const refused = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).catch((error) => error);
      expect(refused).toBeInstanceOf(StartupError);
      expect(refused.message).toContain('OTEL_EXPORTER_OTLP_ENDPOINT');
    },
  );

  it('logs which protocol it uses when another is configured', async () => {
    const { tracing, logged } = await startFor(NO_COLLECTOR, { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
    await tracing.shutdown();
    expect(logged).toMatchObject([{ level: 40, protocol: 'grpc', used: 'http/json' }]);
  });

  it.each(['http/json', 'http/protobuf'])('logs nothing about %s', async (protocol) => {
    const { tracing, logged } = await startFor(NO_COLLECTOR, { OTEL_EXPORTER_OTLP_PROTOCOL: protocol });
    await tracing.shutdown();
    expect(logged).toEqual([]);
  });

  it('loads the SDK only when an endpoint is set', async () => {
    // The compiled files beside packages that cannot be imported.
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
    expect(run({ OTEL_EXPORTER_OTLP_ENDPOINT: NO_COLLECTOR })).toMatch(/"exports".*@opentelemetry/);
  });
});
