import type { ErrorCode, ServiceError } from '../errors.ts';
import { randomHex } from './random-hex.ts';
import { VISION_STAGES } from './stages.ts';
import { parseTraceparent, type TraceContext } from './traceparent.ts';

/** The stages whose time is reported: in the log, in Server-Timing, as metrics and as spans. */
export const REQUEST_STAGES = ['queue', ...VISION_STAGES, 'compare'] as const;

export type RequestStage = (typeof REQUEST_STAGES)[number];

/** Why a request was refused without any work. */
export const REJECTION_REASONS = [
  'queue_full',
  'queue_share',
  'inflight_bytes',
  'uploads',
  'no_thread',
  'deadline',
  'rate_limit',
  'unauthorized',
  'too_large',
  'client_gone',
] as const;

export type RejectionReason = (typeof REJECTION_REASONS)[number];

export type StageTimes = Partial<Record<RequestStage, number>>;

/** Consecutive stages: those of one image, or of one ranking. */
export interface Lap {
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** Milliseconds, in the order in which the stages began. */
  stages: StageTimes;
}

/** The outcome of one image: its size and faces, or an error. */
export interface ImageRecord {
  picture?: { width: number; height: number };
  faces?: number;
  errorCode?: ErrorCode;
}

/**
 * What the log, the metrics and the trace know about one request: filled while it is handled, read once when it has been answered.
 * It never holds an image, an embedding, a key or a query.
 */
export interface RequestRecord {
  readonly requestId: string;
  readonly method: string;
  /** The route's pattern, without the prefix; UNMATCHED_ROUTE for an unknown path. Bounded, unlike the path. */
  route: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Milliseconds until it was answered. */
  duration: number;
  status: number;
  errorCode: ErrorCode | undefined;
  rejection: RejectionReason | undefined;
  /** Bytes of the body that have been read. */
  bytesIn: number;
  /** In the order in which they ended. Those of a batch overlap. */
  readonly laps: Lap[];
  /** In the order in which they finished. */
  readonly images: ImageRecord[];
  /** The caller's address, as far as it is known. */
  readonly client: string | undefined;
  /** The name of the API key, never the key. */
  keyName: string | undefined;
  /** Whom the request counts for: the name of its key, else its network; undefined for routes that are for everyone. */
  tenant: string | undefined;
  /** The caller's W3C trace context, or a new one. */
  readonly trace: TraceContext;
  /** The span id of this request, 16 hex digits. */
  readonly spanId: string;
}

/** The route of a request whose path is unknown. */
export const UNMATCHED_ROUTE = 'unmatched';

/** Routes that machines call every few seconds, which would outnumber all other requests in logs and traces. */
const ROUTINE_ROUTES = new Set(['/livez', '/readyz', '/v1/health', '/metrics']);

export function isRoutine({ route }: Pick<RequestRecord, 'route'>): boolean {
  return ROUTINE_ROUTES.has(route);
}

/** Is notified of every request. */
export interface RequestObserver {
  /** Before a request is handled. */
  begin?: () => void;
  /** After it has been answered. The record does not change any more. */
  observe: (record: RequestRecord) => void;
}

export function createRequestRecord(about: {
  requestId: string;
  method: string;
  client?: string | undefined;
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
    laps: [],
    images: [],
    client: about.client,
    keyName: undefined,
    tenant: undefined,
    trace: parseTraceparent(about.traceparent) ?? newTrace(),
    spanId: randomHex(8),
  };
}

/** Records consecutive stages that have just ended, in milliseconds each. */
export function recordStages(record: RequestRecord, stages: StageTimes): void {
  const total = stagesOf({ stages }).reduce((sum, [, ms]) => sum + ms, 0);
  record.laps.push({ startedAt: performance.timeOrigin + performance.now() - total, stages });
}

/** Records the stages of work that failed, once however often it is called. */
export function recordFailure(record: RequestRecord, error: ServiceError): void {
  const { stages } = error;
  if (stages === undefined) return;
  error.stages = undefined;
  recordStages(record, Object.fromEntries(Object.entries(stages).filter(([name]) => isStage(name))));
}

function isStage(name: string): name is RequestStage {
  return (REQUEST_STAGES as readonly string[]).includes(name);
}

export function stagesOf({ stages }: Pick<Lap, 'stages'>): [RequestStage, number][] {
  return Object.entries(stages) as [RequestStage, number][];
}

/** Milliseconds of each stage, summed over all images; they may exceed the request's duration. */
export function sumStages({ laps }: Pick<RequestRecord, 'laps'>): Map<RequestStage, number> {
  const sums = new Map<RequestStage, number>();
  for (const [stage, ms] of laps.flatMap(stagesOf)) sums.set(stage, (sums.get(stage) ?? 0) + ms);
  return sums;
}

/** Faces of all images together; undefined when no image could be decoded. */
export function sumFaces({ images }: Pick<RequestRecord, 'images'>): number | undefined {
  const counts = images.flatMap(({ faces }) => faces ?? []);
  return counts.length > 0 ? counts.reduce((sum, count) => sum + count, 0) : undefined;
}

/** The picture of a request with a single image. */
export function onlyPicture({ images }: Pick<RequestRecord, 'images'>): ImageRecord['picture'] {
  return images.length === 1 ? images[0]?.picture : undefined;
}

function newTrace(): TraceContext {
  return { traceId: randomHex(16), parentSpanId: undefined, sampled: true };
}
