import type { Logger } from './log.ts';
import {
  isRoutine,
  onlyPicture,
  type RequestObserver,
  type RequestRecord,
  sumFaces,
  sumStages,
} from './request-record.ts';

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

/** JSON omits undefined values. */
function describe(record: RequestRecord): Record<string, unknown> {
  const stages = sumStages(record);
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
      stages.size > 0
        ? Object.fromEntries([...stages].map(([stage, ms]) => [stage, milliseconds(ms)]))
        : undefined,
    bytesIn: record.bytesIn || undefined,
    images: record.images.length || undefined,
    imageErrors: imageErrors(record),
    picture: onlyPicture(record),
    faces: sumFaces(record),
    client: record.client,
    keyName: record.keyName,
  };
}

/** How many images of a batch failed, by code. The failure of a single image is that of the request. */
function imageErrors({ errorCode, images }: RequestRecord): Record<string, number> | undefined {
  const counts: Record<string, number> = {};
  for (const { errorCode: code } of images) if (code !== undefined) counts[code] = (counts[code] ?? 0) + 1;
  return errorCode === undefined && Object.keys(counts).length > 0 ? counts : undefined;
}

/** Two decimals keep the line short. */
function milliseconds(ms: number): number {
  return Math.round(ms * 100) / 100;
}
