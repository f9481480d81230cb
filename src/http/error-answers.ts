import type { Context, ErrorHandler } from 'hono';
import { type ErrorCode, ServiceError } from '../errors.ts';
import type { Logger } from '../observability/log.ts';
import { type RejectionReason, recordFailure } from '../observability/request-record.ts';
import { ClientDisconnected } from './body/body-source.ts';
import type { Exchange } from './connection/connection.ts';
import type { AppEnvironment } from './context.ts';

/** The body of every error; some have further members. */
export interface ErrorBody {
  error: string;
  error_code: ErrorCode;
  detail?: string;
  request_id: string;
}

export function errorBody(error: ServiceError, requestId: string): ErrorBody {
  return {
    error: error.message,
    error_code: error.code,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...error.members,
    request_id: requestId,
  };
}

/** The reason under which the metrics count an error that was answered without any work. */
function rejectionOf(error: ServiceError): RejectionReason | undefined {
  switch (error.code) {
    case 'OVERLOADED':
      return error.reason ?? 'queue_full';
    case 'DEADLINE_EXCEEDED':
      return 'deadline';
    case 'RATE_LIMITED':
      return 'rate_limit';
    case 'UNAUTHORIZED':
      return 'unauthorized';
    case 'IMAGE_TOO_LARGE':
    case 'REQUEST_TOO_LARGE':
      return 'too_large';
    default:
      return undefined;
  }
}

/** Answers with an error, in the one shape that all errors have. */
export function answerError(
  c: Context<AppEnvironment>,
  error: ServiceError,
  extra: Record<string, unknown> = {},
) {
  const record = c.get('record');
  record.errorCode = error.code;
  record.rejection = rejectionOf(error);
  recordFailure(record, error);
  if (error.retryAfter !== undefined) c.header('Retry-After', String(error.retryAfter));
  if (error.code === 'UNAUTHORIZED') c.header('WWW-Authenticate', 'Bearer');
  return c.json({ ...extra, ...errorBody(error, record.requestId) }, error.status);
}

/** Turns what a route throws into an answer. An unexpected error is logged in full, and its answer omits the cause. */
export function createErrorHandler(log: Logger): ErrorHandler<AppEnvironment> {
  return (thrown, c) => {
    const isGone = thrown instanceof ClientDisconnected;
    const error =
      thrown instanceof ServiceError
        ? thrown
        : new ServiceError(isGone ? 'INVALID_REQUEST' : 'PROCESSING_ERROR', { cause: thrown });
    logUnforeseen(error, log, c.get('requestId'));
    if (!isGone && !isClosed(c)) return answerError(c, error);
    // The answer goes nowhere, unless only one direction was closed. A caller that disconnects is not an error of the service.
    c.get('record').rejection = 'client_gone';
    return c.json(errorBody(error, c.get('requestId')), error.status);
  };
}

/** Whether the caller closed the connection. A request's signal says the same, but is created when it is asked for. */
function isClosed(c: Context<AppEnvironment>): boolean {
  const { outgoing } = (c.env ?? {}) as Partial<Exchange>;
  return outgoing ? outgoing.destroyed : c.req.raw.signal.aborted;
}

/** Logs an unexpected error in full, since its answer omits the cause. */
export function logUnforeseen(error: ServiceError, log: Logger, requestId: string): void {
  if (error.code !== 'PROCESSING_ERROR') return;
  log.error({ err: error.cause ?? error, requestId }, 'a request failed unforeseen');
}
