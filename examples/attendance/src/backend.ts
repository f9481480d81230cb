import { type FaceEmbeddingClient, FaceEmbeddingError } from 'face-embedding-client';
import type { Database } from './database.ts';
import type { Settings } from './settings.ts';

export interface Backend {
  settings: Settings;
  database: Database;
  /** Of the model in use; then, during a change of model, of the previous one. */
  services: readonly FaceEmbeddingClient[];
}

/** An answer that is not a success. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly more: { retryAfter?: number; [member: string]: unknown };

  constructor(status: number, code: string, message: string, more: Refusal['more'] = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.more = more;
  }
}

/** What the caller is told: of a photograph, what the service says; of a full service, when to come back; of our faults, no more. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (!(error instanceof FaceEmbeddingError)) return new Refusal(500, 'INTERNAL', 'An unexpected failure.');
  const { code, status, message, detail, reasons, retryAfterMs = 1000, requestId: request_id } = error;
  const retryAfter = Math.max(1, Math.ceil(retryAfterMs / 1000));
  if (error.retryable)
    return new Refusal(503, code, 'Please try again in a moment.', { retryAfter, request_id });
  if ([413, 415, 422].includes(status) && !code.includes('EMBEDDING'))
    return new Refusal(status, code, message, { detail, reasons, request_id });
  return new Refusal(502, 'FACE_SERVICE_FAILED', 'The face service refused our request.', { request_id });
}
