import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { type IdGenerator, RandomIdGenerator } from '@opentelemetry/sdk-trace-base';
import { onlyPicture, type RequestRecord, stagesOf, sumFaces, UNMATCHED_ROUTE } from './request-record.ts';
import type { TraceContext } from './traceparent.ts';

/** Source: OpenTelemetry semantic conventions, `http.request.method`. Others are reported as `_OTHER`. */
const KNOWN_METHODS = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'QUERY',
  'TRACE',
]);

/** Generates a request's own ids while its span starts, so that they are those of its log line; otherwise random ids. */
export class RequestIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #request: RequestRecord | undefined;

  /** @param begin starts one span, synchronously. */
  during<T>(request: RequestRecord, begin: () => T): T {
    this.#request = request;
    try {
      return begin();
    } finally {
      this.#request = undefined;
    }
  }

  generateTraceId(): string {
    return this.#request?.trace.traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#request?.spanId ?? this.#random.generateSpanId();
  }
}

/**
 * Records the spans of an answered request: one for the server, and below it one for each stage of each image. Only the durations
 * of stages are known, so the stages of one image are placed one after the other.
 *
 * @param ids the generator of the tracer's provider.
 */
export function recordSpans(tracer: Tracer, ids: RequestIds, request: RequestRecord): void {
  const { startedAt, duration, laps, status } = request;
  const about = {
    kind: SpanKind.SERVER,
    startTime: startedAt,
    // Given at the start, when the sampler reads them.
    attributes: attributesOf(request),
  };
  const span = ids.during(request, () => tracer.startSpan(nameOf(request), about, callerOf(request.trace)));
  if (!span.isRecording()) return;
  const below = trace.setSpan(ROOT_CONTEXT, span);
  for (const lap of laps) {
    let time = lap.startedAt;
    for (const [stage, milliseconds] of stagesOf(lap)) {
      const child = tracer.startSpan(stage, { kind: SpanKind.INTERNAL, startTime: time }, below);
      time += milliseconds;
      child.end(time);
    }
  }
  // By the conventions a 4xx is the caller's failure, not the server's.
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(startedAt + duration);
}

function nameOf({ method, route }: RequestRecord): string {
  return `${KNOWN_METHODS.has(method) ? method : 'HTTP'} ${route}`;
}

function callerOf({ traceId, parentSpanId, sampled }: TraceContext): Context {
  if (parentSpanId === undefined) return ROOT_CONTEXT;
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: parentSpanId, traceFlags, isRemote: true });
}

function attributesOf(request: RequestRecord): Attributes {
  const { method, route, status, bytesIn, errorCode, images, keyName } = request;
  const faces = sumFaces(request);
  const picture = onlyPicture(request);
  const attributes: Attributes = {
    'http.request.method': KNOWN_METHODS.has(method) ? method : '_OTHER',
    'http.response.status_code': status,
    'http.request.body.size': bytesIn,
  };
  // An unknown path has no route, and its name could be anything.
  if (route !== UNMATCHED_ROUTE) attributes['http.route'] = route;
  if (errorCode !== undefined) attributes['error.type'] = errorCode;
  else if (status >= 500) attributes['error.type'] = String(status);
  if (images.length > 0) attributes['face.image.count'] = images.length;
  if (faces !== undefined) attributes['face.count'] = faces;
  if (picture !== undefined) {
    attributes['face.image.width'] = picture.width;
    attributes['face.image.height'] = picture.height;
  }
  if (keyName !== undefined) attributes['api_key.name'] = keyName;
  return attributes;
}
