import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface CollectedSpan {
  traceId: string;
  spanId: string;
  /** Undefined for the root of a trace. */
  parentSpanId: string | undefined;
  name: string;
  /** 1 is internal, 2 a server's. Source: opentelemetry-proto, trace.proto. */
  kind: number;
  /** Milliseconds since the epoch. */
  start: number;
  end: number;
  /** 0 is unset, 2 an error. */
  status: number;
  attributes: Record<string, unknown>;
  /** Attributes of its resource. */
  resource: Record<string, unknown>;
  scope: { name: string; version: string };
}

/** The status with which it answers a request, or 'nothing' for no answer. */
export type CollectorAnswer = number | 'nothing';

export interface OtlpCollector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  url: string;
  /** May be changed at any time. */
  answer: CollectorAnswer;
  /** In order of arrival, answered or not. */
  requests: { path: string; headers: IncomingMessage['headers']; body: string }[];
  /** Of the requests that it accepted. */
  spans: CollectedSpan[];
  close: () => Promise<void>;
}

/** Starts an OpenTelemetry collector on 127.0.0.1 that accepts traces as OTLP/HTTP with JSON, or misbehaves as configured. */
export async function startOtlpCollector(answer: CollectorAnswer = 200): Promise<OtlpCollector> {
  const server = createServer(async (request, response) => {
    const body = (await buffer(request)).toString();
    collector.requests.push({ path: request.url ?? '', headers: request.headers, body });
    if (collector.answer === 'nothing') return;
    const isTraces = request.method === 'POST' && request.url === '/v1/traces';
    const status = isTraces ? collector.answer : 404;
    if (status === 200) collector.spans.push(...spansOf(JSON.parse(body)));
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const collector: OtlpCollector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer,
    requests: [],
    spans: [],
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return collector;
}

// biome-ignore lint/suspicious/noExplicitAny: the body of an ExportTraceServiceRequest
function spansOf(body: any): CollectedSpan[] {
  const collected: CollectedSpan[] = [];
  for (const { resource, scopeSpans } of body.resourceSpans) {
    for (const { scope, spans } of scopeSpans) {
      for (const span of spans) {
        collected.push({
          traceId: span.traceId,
          spanId: span.spanId,
          parentSpanId: span.parentSpanId || undefined,
          name: span.name,
          kind: span.kind,
          start: Number(span.startTimeUnixNano) / 1e6,
          end: Number(span.endTimeUnixNano) / 1e6,
          status: span.status.code,
          attributes: record(span.attributes),
          resource: record(resource.attributes),
          scope,
        });
      }
    }
  }
  return collected;
}

function record(attributes: { key: string; value: Record<string, unknown> }[]): Record<string, unknown> {
  // A value is an object with one member that is named after its type: { intValue: 3 }.
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
