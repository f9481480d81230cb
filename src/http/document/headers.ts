import type { OpenAPIHono } from '@hono/zod-openapi';

/* The headers of answers, for the OpenAPI document. */

/** Those that an answer of any route can have, by their names. */
const HEADERS = {
  'X-Request-Id': {
    description:
      'The one that was sent, when it is at most 255 letters, digits, `-`, `_` and `=`, else a new one. Also in the log.',
    required: true,
    schema: { type: 'string' },
  },
  'Server-Timing': {
    description:
      'Milliseconds of each stage that the request went through (W3C Server Timing). Absent without any, and from lines.',
    schema: { type: 'string' },
    example: 'decode;dur=3.1, detect;dur=11.8, recognise;dur=9.4',
  },
  'Retry-After': {
    description: 'Whole seconds to wait before another attempt.',
    schema: { type: 'integer', minimum: 0 },
    example: 1,
  },
  'WWW-Authenticate': { description: 'Always `Bearer`.', schema: { type: 'string' }, example: 'Bearer' },
  ETag: {
    description: 'Names this version of the answer, for `If-None-Match`.',
    required: true,
    schema: { type: 'string' },
  },
} as const;

export type HeaderName = keyof typeof HEADERS;

/** The statuses whose answers have a header more. */
const BY_STATUS: Record<number, HeaderName> = {
  401: 'WWW-Authenticate',
  429: 'Retry-After',
  503: 'Retry-After',
};

/** The headers of an answer of this status. @param more headers of its route. */
export function headersOf(status: number, ...more: HeaderName[]): Record<string, { $ref: string }> {
  const own = BY_STATUS[status];
  const names: HeaderName[] = ['X-Request-Id', ...(own ? [own] : []), ...more];
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

export function declareHeaders(registry: OpenAPIHono['openAPIRegistry']): void {
  for (const [name, header] of Object.entries(HEADERS)) registry.registerComponent('headers', name, header);
}
