import { describe, expect, it } from 'vitest';
import { createRequestRecord } from '../../src/observability/request-record.ts';
import { parseTraceparent } from '../../src/observability/traceparent.ts';

// Source: the examples of W3C Trace Context.
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

describe('parseTraceparent', () => {
  it("reads the caller's trace id, span id and sampled flag", () => {
    expect(parseTraceparent(`00-${TRACE}-${PARENT}-01`)).toEqual({
      traceId: TRACE,
      parentSpanId: PARENT,
      sampled: true,
    });
    expect(parseTraceparent(`00-${TRACE}-${PARENT}-00`)?.sampled).toBe(false);
  });

  it('uses only the lowest bit of the flags as the sampled flag', () => {
    expect(parseTraceparent(`00-${TRACE}-${PARENT}-03`)?.sampled).toBe(true);
    expect(parseTraceparent(`00-${TRACE}-${PARENT}-02`)?.sampled).toBe(false);
    expect(parseTraceparent(`00-${TRACE}-${PARENT}-ff`)?.sampled).toBe(true);
  });

  it('ignores white space around the value', () => {
    expect(parseTraceparent(` \t00-${TRACE}-${PARENT}-01 `)?.traceId).toBe(TRACE);
  });

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['not a traceparent', 'not a traceparent'],
    ['a short version', `0-${TRACE}-${PARENT}-01`],
    ['a short trace id', `00-${TRACE.slice(1)}-${PARENT}-01`],
    ['a long trace id', `00-${TRACE}0-${PARENT}-01`],
    ['a short parent id', `00-${TRACE}-${PARENT.slice(1)}-01`],
    ['a long parent id', `00-${TRACE}-${PARENT}0-01`],
    ['short flags', `00-${TRACE}-${PARENT}-1`],
    ['long flags', `00-${TRACE}-${PARENT}-011`],
    ['no flags', `00-${TRACE}-${PARENT}`],
    ['an upper-case trace id', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['an upper-case parent id', `00-${TRACE}-${PARENT.toUpperCase()}-01`],
    ['a digit that is not hexadecimal', `00-${TRACE}-${PARENT.slice(1)}g-01`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a parent id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['the forbidden version', `ff-${TRACE}-${PARENT}-01`],
    ['version 00 with a tail', `00-${TRACE}-${PARENT}-01-more`],
    ['version 00 with an empty tail', `00-${TRACE}-${PARENT}-01-`],
    ['a future version with a tail that has no dash', `01-${TRACE}-${PARENT}-01more`],
    ['two headers in one', `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`],
  ])('refuses %s', (_what, header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  it('reads the known fields of a future version, with or without a tail', () => {
    const expected = { traceId: TRACE, parentSpanId: PARENT, sampled: true };
    expect(parseTraceparent(`01-${TRACE}-${PARENT}-01`)).toEqual(expected);
    expect(parseTraceparent(`cc-${TRACE}-${PARENT}-01-what-the-future-will-be`)).toEqual(expected);
  });
});

describe('a request record', () => {
  const recordOf = (traceparent: string | undefined) =>
    createRequestRecord({ requestId: 'r', method: 'GET', traceparent });

  it("continues the caller's trace with a span of its own", () => {
    const record = recordOf(`00-${TRACE}-${PARENT}-00`);
    expect(record.trace).toEqual({ traceId: TRACE, parentSpanId: PARENT, sampled: false });
    expect(record.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(record.spanId).not.toBe(PARENT);
  });

  it('starts a new sampled trace when the header is invalid or absent', () => {
    const [one, two] = [recordOf('00-nonsense'), recordOf(undefined)];
    expect(one.trace).toEqual({
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      parentSpanId: undefined,
      sampled: true,
    });
    expect(two.trace.traceId).not.toBe(one.trace.traceId);
  });
});
