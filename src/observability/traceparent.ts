export interface TraceContext {
  /** 32 hex digits. */
  traceId: string;
  /** 16 hex digits; undefined when the trace begins here. */
  parentSpanId: string | undefined;
  sampled: boolean;
}

/**
 * Reads a `traceparent` header. Source: W3C Trace Context, level 1.
 *
 * @returns undefined for a malformed or absent header, which by the recommendation starts a new trace.
 */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  const [, version, traceId, parentSpanId, flags, rest] =
    header?.trim().match(/^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/) ?? [];
  if (traceId === undefined || parentSpanId === undefined || version === 'ff') return undefined;
  // Version 00 ends with the flags; a later one may go on.
  if (version === '00' && rest !== undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentSpanId)) return undefined;
  return { traceId, parentSpanId, sampled: (Number.parseInt(flags as string, 16) & 1) === 1 };
}
