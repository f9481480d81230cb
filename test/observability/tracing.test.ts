import { describe, expect, it } from 'vitest';
import type { StageTimes } from '../../src/observability/request-record.ts';
import { answeredRequest, exportSpans, startCollector, startFor } from './traced-requests.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const SAMPLED_BY_CALLER = `00-${TRACE}-${PARENT}-01`;
const NOT_SAMPLED_BY_CALLER = `00-${TRACE}-${PARENT}-00`;

const lap = (startedAt: number, stages: StageTimes) => ({ startedAt, stages });

describe('a trace', () => {
  it('has a span for the request, with the ids of its record, and one for each stage in turn', async () => {
    const request = answeredRequest({ traceparent: SAMPLED_BY_CALLER });
    const durations = { queue: 3, decode: 5.25, detect: 12.5 };
    request.laps.push(lap(request.startedAt + 2, durations));
    const { spans } = await exportSpans([request], 4);

    const [server, ...stages] = spans.toSorted((p, q) => q.kind - p.kind || p.start - q.start);
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

    expect(stages.map(({ name }) => name)).toEqual(['queue', 'decode', 'detect']);
    let time = request.startedAt + 2;
    for (const stage of stages) {
      expect(stage).toMatchObject({ kind: 1, traceId: TRACE, parentSpanId: request.spanId, status: 0 });
      expect(stage.start).toBeCloseTo(time, 2);
      time += durations[stage.name as keyof typeof durations];
      expect(stage.end).toBeCloseTo(time, 2);
    }
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(4);
  });

  it('has the stages of each image of a batch, which overlap', async () => {
    const request = answeredRequest();
    request.laps.push(lap(request.startedAt, { queue: 5, decode: 10 }));
    request.laps.push(lap(request.startedAt + 1, { queue: 10, decode: 20 }));
    const { spans } = await exportSpans([request], 5);
    const stages = spans
      .filter(({ kind }) => kind === 1)
      .map(({ name, start, end }) => [
        name,
        // −0 is not equal to 0.
        Math.round(start - request.startedAt) + 0,
        Math.round(end - request.startedAt) + 0,
      ]);
    expect(stages).toEqual([
      ['queue', 0, 5],
      ['decode', 5, 15],
      ['queue', 1, 11],
      ['decode', 11, 31],
    ]);
  });

  it('starts with the logged ids when the caller sends none', async () => {
    const requests = [answeredRequest(), answeredRequest()];
    const { spans } = await exportSpans(requests, 2);
    expect(spans).toMatchObject(
      requests.map(({ trace, spanId }) => ({ traceId: trace.traceId, spanId, parentSpanId: undefined })),
    );
  });

  it('has these attributes, named by the semantic conventions, and no others', async () => {
    const request = answeredRequest({
      bytesIn: 4_711,
      images: [{ picture: { width: 640, height: 480 }, faces: 2 }],
      keyName: 'kiosk',
    });
    const { spans } = await exportSpans([request], 1);
    expect(spans[0]?.attributes).toEqual({
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

  it('has the error code of any failure, and counts only 5xx as an error of the service', async () => {
    const requests = [
      answeredRequest({ status: 422, errorCode: 'NO_FACE_DETECTED' }),
      answeredRequest({ status: 503, errorCode: 'OVERLOADED' }),
      answeredRequest({ status: 500 }),
    ];
    const { spans } = await exportSpans(requests, 3);
    expect(spans.map(({ status, attributes }) => [status, attributes['error.type']])).toEqual([
      [0, 'NO_FACE_DETECTED'],
      [2, 'OVERLOADED'],
      [2, '500'],
    ]);
  });

  it('does not contain an unknown path or method', async () => {
    const request = { method: 'PROPFIND', route: 'unmatched', status: 404, errorCode: 'NOT_FOUND' } as const;
    const { spans } = await exportSpans([answeredRequest(request)], 1);
    const [span] = spans;
    expect(span?.name).toBe('HTTP unmatched');
    expect(span?.attributes).toMatchObject({ 'http.request.method': '_OTHER' });
    expect(span?.attributes).not.toHaveProperty('http.route');
  });
});

describe('sampling', () => {
  it('omits traces that the caller does not sample', async () => {
    const collector = await startCollector();
    const { tracing } = await startFor(collector.url);
    tracing.record(answeredRequest({ traceparent: NOT_SAMPLED_BY_CALLER, laps: [lap(0, { queue: 1 })] }));
    await tracing.shutdown();
    expect(collector.requests).toEqual([]);
  });

  it('follows OTEL_TRACES_SAMPLER', async () => {
    const requests = [answeredRequest(), answeredRequest({ traceparent: SAMPLED_BY_CALLER })];
    const { spans } = await exportSpans(requests, 1, { OTEL_TRACES_SAMPLER: 'parentbased_always_off' });
    expect(spans.map(({ traceId }) => traceId)).toEqual([TRACE]);
  });
});

describe('the resource', () => {
  it('is the service by default', async () => {
    const { spans } = await exportSpans([answeredRequest()], 1);
    expect(spans[0]?.resource).toMatchObject({
      'service.name': 'faces',
      'service.version': '1.2.3',
      'service.instance.id': expect.any(String),
      'telemetry.sdk.language': 'nodejs',
    });
  });

  it("has the operator's name and attributes, and the exporter sends the operator's headers", async () => {
    const { spans, requests } = await exportSpans([answeredRequest()], 1, {
      OTEL_SERVICE_NAME: 'faces-blue',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=not-this,deployment.environment.name=staging',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=seven',
    });
    expect(spans[0]?.resource).toMatchObject({
      'service.name': 'faces-blue',
      'deployment.environment.name': 'staging',
    });
    expect(requests[0]).toMatchObject({
      path: '/v1/traces',
      headers: { 'x-tenant': 'seven', 'content-type': 'application/json' },
    });
  });
});
