/**
 * The error catalogue: which failures exist, their status and when they happen.
 * The `ErrorCode` type, the HTTP answers, the OpenAPI document and docs/ERRORS.md derive from it.
 */
export const ERROR_CATALOGUE = {
  INVALID_REQUEST: {
    status: 400,
    message: 'The request is malformed.',
    detail: 'faces: Invalid option: expected one of "single"|"largest"|"all"',
    when:
      'Malformed HTTP, JSON or multipart; an unknown or missing option, or one of the wrong type; a body that arrives ' +
      'too slowly. `detail` names the field.',
    retryable: false,
    action: 'Correct the request.',
  },
  UNAUTHORIZED: {
    status: 401,
    message: 'A valid API key is required.',
    detail: 'Send it as "Authorization: Bearer <key>" or as "X-API-Key: <key>".',
    when: 'API keys are configured, and the request has none or an invalid one.',
    retryable: false,
    action: 'Send a valid API key.',
  },
  NOT_FOUND: {
    status: 404,
    message: 'There is nothing at this path.',
    when: 'The path is unknown.',
    retryable: false,
    action: 'Correct the path.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    message: 'This path does not support the method.',
    detail: 'Allowed: POST.',
    when: 'The path does not support the method; `Allow` lists those that it supports.',
    retryable: false,
    action: 'Use one of the methods in `Allow`.',
  },
  IMAGE_TOO_LARGE: {
    status: 413,
    message: 'The image is too large.',
    detail: 'The limit is 10485760 bytes.',
    when: 'The image has more than `MAX_IMAGE_SIZE` bytes or more than `MAX_IMAGE_PIXELS` pixels.',
    retryable: false,
    action: 'Send a smaller image.',
  },
  REQUEST_TOO_LARGE: {
    status: 413,
    message: 'The request is too large.',
    detail: 'There are more than 16 file parts.',
    when:
      'The body, or the answer to several queries, has more than `MAX_REQUEST_SIZE` bytes; or there are more than ' +
      '`MAX_BATCH_SIZE` images, `MAX_REFERENCES` references or `MAX_COMPARISONS` comparisons.',
    retryable: false,
    action: 'Send less in one request, or split it.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    message: 'The type of the body is not supported here.',
    detail: 'Accepted is application/json.',
    when: "The path does not accept the request's `Content-Type` or `Content-Encoding`.",
    retryable: false,
    action: 'Send one of the accepted types, uncompressed.',
  },
  UNSUPPORTED_FORMAT: {
    status: 415,
    message: 'The bytes are not in a supported image format.',
    detail: 'Supported are JPEG, PNG, WebP, GIF, TIFF, AVIF, BMP, JPEG 2000.',
    when:
      'The bytes are neither JPEG, PNG, WebP, GIF, TIFF, AVIF, BMP nor JPEG 2000, whatever type is declared; or they are HEIC, ' +
      'which needs an optional package (`detail` names it).',
    retryable: false,
    action: 'Convert the image to one of these formats.',
  },
  INVALID_IMAGE: {
    status: 422,
    message: 'The image cannot be decoded.',
    detail: 'The image is broken or truncated.',
    when:
      'The image is broken, truncated or empty; its file is built so that decoding would take far longer than its pixels ' +
      'need (`detail` names the limit); its base64 is invalid; or, with `aligned=true`, it does not have the size that the ' +
      'model takes.',
    retryable: false,
    action: 'Send another image.',
  },
  NO_FACE_DETECTED: {
    status: 422,
    message: 'No face was detected in the image.',
    detail: '0 faces',
    when: 'With `faces` = `single` or `largest`: no face reaches the detection threshold.',
    retryable: false,
    action: 'Ask for another photograph.',
  },
  MULTIPLE_FACES_DETECTED: {
    status: 422,
    message: 'More than one face was detected in the image.',
    detail: '3 faces',
    when: 'With `faces` = `single`: several faces reach the detection threshold. `detail` gives the count.',
    retryable: false,
    action: 'Ask for a photograph of one person, or use `faces` = `largest`.',
  },
  LOW_QUALITY: {
    status: 422,
    message: 'The face is not good enough.',
    detail: 'too dark',
    when:
      'The face is below `min_quality` or `min_face_size`. `detail` says what is low, in words for the user, `reasons` the ' +
      'same in codes for programs, and `quality` has what was measured.',
    retryable: false,
    action: 'Show `detail` to the user and ask for another photograph.',
  },
  PICTURES_DISAGREE: {
    status: 422,
    message: 'The pictures give no embedding of one person.',
    detail: 'No more than half of 4 images show the same person.',
    when:
      'With `fuse=true`, as the `template` of an answer: no picture has an embedding, or no more than half of those that have show ' +
      'the same person. `detail` says which.',
    retryable: false,
    action: 'Ask for other photographs of the person, and compare those that there are.',
  },
  INVALID_EMBEDDING: {
    status: 422,
    message: 'An embedding is invalid.',
    detail: 'query_embedding has zero norm.',
    when: 'An embedding has the wrong length, a value that is not finite, zero norm or invalid base64. `detail` names it.',
    retryable: false,
    action: 'Correct the embedding.',
  },
  EMBEDDING_SPACE_MISMATCH: {
    status: 422,
    message: 'Embeddings of different embedding spaces cannot be compared.',
    detail: 'reference_embeddings[1] is of buffalo_l:4c06341c33c2, others are of buffalo_s:9cc6e4a75f0e.',
    when: 'Two `embedding_space` values of one request differ.',
    retryable: false,
    action: 'Embed the photographs again with one model.',
  },
  LIVENESS_FAILED: {
    status: 422,
    message: 'The face was not found to be live.',
    detail: 'the score 0.03121 is below the threshold 0.9',
    when:
      'With `liveness` = `require`: the score of the face is below the threshold, or the model cannot judge it. `detail` gives the ' +
      'score, or the reason why there is none.',
    retryable: false,
    action: 'Ask for another photograph, taken now; do not rely on liveness alone.',
  },
  RATE_LIMITED: {
    status: 429,
    message: 'Too many requests came from this caller.',
    when: 'More images or requests a second than `RATE_LIMIT_PER_KEY` allows the key, or without keys the address. `Retry-After` says when to try again.',
    retryable: true,
    action: 'Wait as long as `Retry-After` says, and send fewer requests at a time.',
  },
  PROCESSING_ERROR: {
    status: 500,
    message: 'The request could not be processed.',
    when: 'An unexpected failure. The log has the cause under the same `request_id`.',
    retryable: false,
    action: 'Report the `request_id` to the operator.',
  },
  OVERLOADED: {
    status: 503,
    message: 'The service is at its capacity.',
    when:
      'All workers are busy and `MAX_QUEUE` images are waiting, or the caller has its whole share of them; `MAX_INFLIGHT_BYTES` are ' +
      'held, `MAX_UPLOADS` bodies are arriving, or the system refuses the process a thread. ' +
      '`Retry-After` says when to try again.',
    retryable: true,
    action: 'Wait as long as `Retry-After` says, then send the request again.',
  },
  MODEL_NOT_LOADED: {
    status: 503,
    message: 'No model is loaded.',
    when:
      'The service is starting (then with `Retry-After`), or has no weights. Health and readiness also answer with it while ' +
      'the service drains.',
    retryable: true,
    action: 'Wait as long as `Retry-After` says, or a minute without it, then send the request again.',
  },
  DEADLINE_EXCEEDED: {
    status: 504,
    message: 'The request waited longer than its deadline.',
    when: 'No worker was free within `REQUEST_TIMEOUT_MS`.',
    retryable: true,
    action: 'Wait a moment, then send the request again.',
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

interface CatalogueEntry {
  /** HTTP status of the answer. */
  status: 400 | 401 | 404 | 405 | 413 | 415 | 422 | 429 | 500 | 503 | 504;
  /** The sentence callers read unless the thrower knows a better one. */
  message: string;
  /** An example of the detail of an answer, for the documents. */
  detail?: string;
  /** When it occurs, for the documents. */
  when: string;
  /** Whether the same request may succeed later. */
  retryable: boolean;
  /** What the caller should do, for the documents. */
  action: string;
}

export interface ErrorDetails {
  /** A more specific sentence than the catalogue's. It must not contain an image or an embedding. */
  message?: string;
  /** What exactly was wrong: the field, the count, the limit. */
  detail?: string;
  /** Further members of the answer, as plain data, which crosses threads. They must not contain an image or an embedding. */
  members?: ErrorMembers;
  /** Whole seconds to wait before a new attempt. */
  retryAfter?: number;
  /** The limit that caused OVERLOADED, for the metrics. */
  reason?: OverloadReason;
  /** For the log only; never part of an answer. */
  cause?: unknown;
}

export type ErrorMembers = Readonly<Record<string, unknown>>;

export type OverloadReason = 'queue_full' | 'queue_share' | 'inflight_bytes' | 'uploads' | 'no_thread';

/** A failure that is reported to the caller. Anything else that is thrown becomes `PROCESSING_ERROR`. */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly members: ErrorMembers | undefined;
  readonly retryAfter: number | undefined;
  readonly reason: OverloadReason | undefined;
  /** Milliseconds of the stages that the work had gone through, for the log and the metrics. */
  stages: Readonly<Record<string, number>> | undefined;

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    // Only what is unforeseen is logged with its stack, which takes a tenth of the work of a refusal under overload.
    const { stackTraceLimit } = Error;
    if (code !== 'PROCESSING_ERROR') Error.stackTraceLimit = 0;
    super(
      details.message ?? ERROR_CATALOGUE[code].message,
      'cause' in details ? { cause: details.cause } : undefined,
    );
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'ServiceError';
    this.code = code;
    this.detail = details.detail;
    this.members = details.members;
    this.retryAfter = details.retryAfter;
    this.reason = details.reason;
  }

  get status() {
    return ERROR_CATALOGUE[this.code].status;
  }
}

/** Adds to what is thrown how long the work had taken by then: milliseconds of each stage. */
export function withStages(error: unknown, stages: Readonly<Record<string, number>>): unknown {
  if (!(error instanceof Error)) return error;
  return Object.assign(error, { stages: { ...stages, ...stagesOfError(error) } });
}

export function stagesOfError(error: unknown): Readonly<Record<string, number>> | undefined {
  return (error as { stages?: Readonly<Record<string, number>> } | undefined)?.stages;
}

/** The service cannot start as configured. Its message is shown to the operator without a stack; the exit code is 1. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
