import type { Logger } from '../log.ts';
import { isRoutine, type RequestObserver, type RequestRecord } from './request-record.ts';

/** One line for each request. */
export function createRequestLog(log: Logger): RequestObserver {
  return {
    observe(record) {
      log[levelOf(record)](describe(record), 'request');
    },
  };
}

function levelOf(record: RequestRecord): 'debug' | 'info' | 'warn' {
  if (isRoutine(record)) return 'debug';
  return record.status >= 500 ? 'warn' : 'info';
}

/** Absent values are left out by JSON. */
function describe(record: RequestRecord): Record<string, unknown> {
  return {
    requestId: record.requestId,
    traceId: record.trace.traceId,
    spanId: record.spanId,
    parentSpanId: record.trace.parentSpanId,
    method: record.method,
    route: record.route,
    status: record.status,
    errorCode: record.errorCode,
    rejection: record.rejection,
    ms: milliseconds(record.duration),
    stages:
      record.stages.size > 0
        ? Object.fromEntries([...record.stages].map(([stage, ms]) => [stage, milliseconds(ms)]))
        : undefined,
    bytesIn: record.bytesIn || undefined,
    picture: record.picture,
    faces: record.faces,
    keyName: record.keyName,
  };
}

/** Hundredths are enough for people and keep the line short. */
function milliseconds(ms: number): number {
  return Math.round(ms * 100) / 100;
}
