import { pino } from 'pino';
import { afterEach, beforeEach, expect, onTestFinished, vi } from 'vitest';
import { createRequestRecord, type RequestRecord } from '../../src/observability/request-record.ts';
import { startTracing } from '../../src/observability/tracing.ts';
import {
  type CollectorAnswer,
  type OtlpCollector,
  startOtlpCollector,
} from '../support/processes/otlp-collector.ts';

/** Nothing listens on port 1. */
export const NO_COLLECTOR = 'http://127.0.0.1:1';

// The SDK reads the variables of this process; those of a developer would change the results.
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) vi.stubEnv(name, undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

export async function startCollector(answer?: CollectorAnswer): Promise<OtlpCollector> {
  const collector = await startOtlpCollector(answer);
  onTestFinished(collector.close);
  return collector;
}

/** Starts tracing as the service does, if the variables ask for it; returns the records of its log, too. */
export async function start(variables: Record<string, string>) {
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

export async function startFor(endpoint: string, variables: Record<string, string> = {}) {
  const { tracing, logged } = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...variables });
  if (tracing === undefined) throw new Error('Tracing was not started.');
  return { tracing, logged };
}

/** The record of a request that has been answered. */
export function answeredRequest(
  about: Partial<RequestRecord> & { traceparent?: string } = {},
): RequestRecord {
  const { traceparent, method = 'POST', ...rest } = about;
  const record = createRequestRecord({ requestId: 'request-1', method, traceparent });
  return Object.assign(record, { route: '/embed', status: 200, duration: 40, ...rest });
}

/**
 * Records requests, ends tracing and waits until the collector has this many spans. On a busy machine the shutdown can give up
 * before they arrive, but the export then goes on.
 */
export async function exportSpans(
  requests: RequestRecord[],
  count: number,
  variables: Record<string, string> = {},
): Promise<OtlpCollector> {
  const collector = await startCollector();
  const { tracing } = await startFor(collector.url, variables);
  for (const request of requests) tracing.record(request);
  await tracing.shutdown();
  await expect.poll(() => collector.spans.length, { interval: 5 }).toBe(count);
  return collector;
}
