import { randomBytes } from 'node:crypto';
import type { ErrorCode } from '../errors.ts';
import { VISION_STAGES } from '../vision/stages.ts';
import { parseTraceparent, type TraceContext } from './traceparent.ts';

/** The stages of a request whose time is told: on the log, as Server-Timing, as metrics and as spans. */
export const REQUEST_STAGES = ['queue', ...VISION_STAGES, 'compare'] as const;

export type RequestStage = (typeof REQUEST_STAGES)[number];

/** Why a request was refused without work being done for it. */
export const REJECTION_REASONS = [
  'queue_full',
  'inflight_bytes',
  'deadline',
  'unauthorized',
  'too_large',
  'client_gone',
] as const;

export type RejectionReason = (typeof REJECTION_REASONS)[number];

/**
 * All that may be known of one request outside of it. Filled while it proceeds, read once when it has been answered, by
 * the log, the metrics and the trace. It never holds an image, an embedding, a key or a query.
 */
export interface RequestRecord {
  readonly requestId: string;
  readonly method: string;
  /** The route's pattern, without the prefix; UNMATCHED_ROUTE for an unknown path. Bounded, unlike the path. */
  route: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Milliseconds until the answer was there. */
  duration: number;
  status: number;
  errorCode: ErrorCode | undefined;
  rejection: RejectionReason | undefined;
  /** Bytes of the body that have been read. */
  bytesIn: number;
  /** Milliseconds, in the order in which the stages began. */
  readonly stages: Map<RequestStage, number>;
  /** When the first stage began, milliseconds since the epoch. */
  stagesStartedAt: number | undefined;
  picture: { width: number; height: number } | undefined;
  faces: number | undefined;
  /** The name of the API key, never the key. */
  keyName: string | undefined;
  /** The caller's W3C trace context, or a new one. */
  readonly trace: TraceContext;
  /** The span id of this request, 16 hex digits. */
  readonly spanId: string;
}

/** The route of a request whose path is unknown. */
export const UNMATCHED_ROUTE = 'unmatched';

/** Routes that machines ask every few seconds: their requests would drown all others in a log and in traces. */
const ROUTINE_ROUTES = new Set(['/livez', '/readyz', '/v1/health', '/metrics']);

export function isRoutine({ route }: Pick<RequestRecord, 'route'>): boolean {
  return ROUTINE_ROUTES.has(route);
}

/** Somebody who wants to know of every request. */
export interface RequestObserver {
  /** Before a request is handled. */
  begin?: () => void;
  /** When it has been answered. The record does not change any more. */
  observe: (record: RequestRecord) => void;
}

export function createRequestRecord(about: {
  requestId: string;
  method: string;
  traceparent: string | undefined;
}): RequestRecord {
  return {
    requestId: about.requestId,
    method: about.method,
    route: UNMATCHED_ROUTE,
    startedAt: performance.timeOrigin + performance.now(),
    duration: 0,
    status: 0,
    errorCode: undefined,
    rejection: undefined,
    bytesIn: 0,
    stages: new Map(),
    stagesStartedAt: undefined,
    picture: undefined,
    faces: undefined,
    keyName: undefined,
    trace: parseTraceparent(about.traceparent) ?? newTrace(),
    spanId: randomBytes(8).toString('hex'),
  };
}

/** Notes stages that have just ended, in milliseconds each, one after the other. */
export function recordStages(record: RequestRecord, stages: Partial<Record<RequestStage, number>>): void {
  const entries = Object.entries(stages) as [RequestStage, number][];
  const total = entries.reduce((sum, [, ms]) => sum + ms, 0);
  record.stagesStartedAt ??= performance.timeOrigin + performance.now() - total;
  for (const [stage, ms] of entries) record.stages.set(stage, (record.stages.get(stage) ?? 0) + ms);
}

function newTrace(): TraceContext {
  return { traceId: randomBytes(16).toString('hex'), parentSpanId: undefined, sampled: true };
}
