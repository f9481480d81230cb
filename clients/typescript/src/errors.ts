import { type Paths, RETRYABLE_CODES } from './api.ts';

type ErrorBody = Paths['/v1/embed']['post']['answers'][422]['application/json'];

/** The codes of the service, of docs/ERRORS.md. */
export type ServiceCode = ErrorBody['error_code'];

/**
 * The codes of the client itself.
 *
 * - `TIMEOUT`: the call's time is over.
 * - `CONNECTION_FAILED`: no answer, or one that was cut off.
 * - `UNEXPECTED_ANSWER`: an answer that is not the service's, such as that of a proxy.
 * - `UNREADABLE_IMAGE`: the file cannot be read, or this runtime has no files.
 */
export type ClientCode = 'TIMEOUT' | 'CONNECTION_FAILED' | 'UNEXPECTED_ANSWER' | 'UNREADABLE_IMAGE';

export interface ErrorDetails {
  /** 0 without an answer. */
  status?: number;
  detail?: string | undefined;
  reasons?: readonly string[] | undefined;
  requestId?: string | undefined;
  retryable?: boolean;
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/** The statuses of proxies and of the service that pass. */
const RETRYABLE_STATUSES = [429, 502, 503, 504];

/** Every failure of a call, but for an aborted one, which throws the reason of its signal. */
export class FaceEmbeddingError extends Error {
  override readonly name = 'FaceEmbeddingError';
  /** For programs. */
  readonly code: ServiceCode | ClientCode;
  /** HTTP status; 0 without an answer. */
  readonly status: number;
  /** What exactly was wrong: the field, the count, the limit; for `LOW_QUALITY`, words for the user. */
  readonly detail: string | undefined;
  /** What was low, as codes, where the service gives them. */
  readonly reasons: readonly string[];
  /** Under which the service's log has the request. */
  readonly requestId: string | undefined;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** How long the service asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ServiceCode | ClientCode, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.status = details.status ?? 0;
    this.detail = details.detail;
    this.reasons = details.reasons ?? [];
    this.requestId = details.requestId;
    this.retryable = details.retryable ?? false;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** The error of an answer. Reads its body to the end, so that the connection can be used again. */
export async function errorOf(response: Response): Promise<FaceEmbeddingError> {
  const text = await response.text();
  const header = {
    requestId: response.headers.get('x-request-id') ?? undefined,
    retryAfterMs: readRetryAfter(response.headers),
  };
  return errorOfBody(asObject(text), response.status, header);
}

/**
 * The error that a body describes, which can also be the result of one image.
 *
 * @param status 0 for a result inside an answer.
 */
export function errorOfBody(
  body: Record<string, unknown>,
  status: number,
  header: Pick<ErrorDetails, 'requestId' | 'retryAfterMs'> = {},
): FaceEmbeddingError {
  const {
    error,
    error_code: code,
    detail,
    reasons,
    request_id,
  } = body as Partial<ErrorBody & { reasons: string[] }>;
  const known = typeof code === 'string';
  const message = typeof error === 'string' ? error : `The answer has the status ${status}.`;
  return new FaceEmbeddingError(
    known ? code : 'UNEXPECTED_ANSWER',
    detail ? `${message} ${detail}` : message,
    {
      ...header,
      status,
      detail,
      reasons,
      requestId: request_id ?? header.requestId,
      retryable: known ? RETRYABLE_CODES.includes(code) : RETRYABLE_STATUSES.includes(status),
    },
  );
}

/**
 * Reads seconds, or a date. Source: RFC 9110, section 10.2.3; some proxies send fractions of seconds.
 *
 * @returns milliseconds; undefined for anything else, and for a time that is over, which says nothing about when to come back.
 */
function readRetryAfter(headers: Headers): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  // Date.parse takes nearly anything: "1.5" is a day of 2001.
  if (!/^[A-Z][a-z]+, /.test(text)) return undefined;
  // By the clock of who sent it, which need not be that of this machine.
  const sent = Date.parse(headers.get('date') ?? '');
  const ms = Date.parse(text) - (Number.isNaN(sent) ? Date.now() : sent);
  return ms > 0 ? ms : undefined;
}

function asObject(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === 'object' ? value : {};
  } catch {
    return {};
  }
}
