import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { errorMessage } from '../../../errors.ts';
import { CalibrationError } from '../calibration-error.ts';

/** Attempts before a picture is listed as failed; with the waits below, they take some minutes. */
const ATTEMPTS = 8;
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 30_000;
const ANSWER_TIMEOUT_MS = 120_000;
const RETRYABLE = [429, 502, 503, 504];
const NO_ANSWER = 'NO_ANSWER';

/** The members of `/v1/model-info` that a calibration needs. */
const modelInfoSchema = z.object({
  name: z.string(),
  version: z.string(),
  embedding_space: z.string(),
  embedding_size: z.int(),
  licence: z.string(),
  synthetic: z.boolean(),
  detection: z.string(),
  detection_threshold: z.number(),
  workers: z.int(),
  limits: z.object({ max_queue: z.int(), max_image_size: z.int() }),
  liveness: z
    .object({ model: z.string(), licence: z.string(), files: z.array(z.object({ sha256: z.string() })) })
    .optional(),
});

export type ModelInfo = z.infer<typeof modelInfoSchema>;

/** The members of an answer of `/v1/embed` that a calibration needs. */
const faceSchema = z.object({
  embedding: z.base64(),
  detection_score: z.number(),
  quality: z.object({ score: z.number() }).optional(),
  model: z.object({ embedding_space: z.string() }),
});

export type Face = z.infer<typeof faceSchema>;

/** The members that a calibration of liveness needs. */
const scoredFaceSchema = z.object({
  liveness: z.object({ score: z.number().nullable(), model: z.string(), reason: z.string().optional() }),
});

export type ScoredFace = z.infer<typeof scoredFaceSchema>;

/** The error code of the service, or `NO_ANSWER`. */
export interface Failure {
  code: string;
  reason: string;
}

const errorSchema = z.object({ error: z.string().optional(), error_code: z.string().optional() }).catch({});

interface Answer {
  /** 0 stands for no answer. */
  status: number;
  body: unknown;
  retryAfterMs?: number | undefined;
}

export interface Clock {
  /** Milliseconds. */
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

export interface ClientOptions {
  /** Of the service, with its API prefix and without a slash at the end. */
  url: string;
  apiKey?: string | undefined;
  signal: AbortSignal;
  clock?: Clock;
}

/** Calls the service over HTTP, and repeats what may succeed later. */
export class ServiceClient {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  /** No request is sent before: a Retry-After holds for all requests. */
  #pausedUntil = 0;

  constructor({ url, apiKey, signal, clock = SYSTEM_CLOCK }: ClientOptions) {
    this.#url = url;
    this.#headers = apiKey ? { Authorization: `Bearer ${apiKey}` } : {};
    this.#signal = signal;
    this.#clock = clock;
  }

  /** @throws {CalibrationError} if there is no such service, or it has no model. */
  async modelInfo(): Promise<ModelInfo> {
    const answer = await this.#send('/v1/model-info', { method: 'GET' });
    const info = modelInfoSchema.safeParse(answer.body);
    if (answer.status === 200 && info.success) return info.data;
    throw new CalibrationError(`${this.#url} does not answer as the service: ${describe(answer)}.`);
  }

  /**
   * Embeds the largest face of a picture.
   *
   * @param bytes the encoded picture.
   * @returns the face; or the error code of the service, `NO_ANSWER` without an answer.
   * @throws {CalibrationError} if no other picture would succeed: a wrong API key, or a service without this route.
   */
  embed(bytes: Buffer): Promise<Face | Failure> {
    return this.#embed('faces=largest&encoding_format=base64', faceSchema, bytes);
  }

  /** Scores the liveness of the largest face of a picture; otherwise as `embed`. */
  scoreLiveness(bytes: Buffer): Promise<ScoredFace | Failure> {
    const query = 'faces=largest&encoding_format=base64&quality=false&liveness=report';
    return this.#embed(query, scoredFaceSchema, bytes);
  }

  async #embed<Schema extends z.ZodType>(
    query: string,
    schema: Schema,
    bytes: Buffer,
  ): Promise<z.output<Schema> | Failure> {
    const answer = await this.#send(`/v1/embed?${query}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/octet-stream' },
      body: bytes,
    });
    const { status, body } = answer;
    if (status === 200) return schema.parse(body);
    if ([401, 403, 404, 405].includes(status))
      throw new CalibrationError(`The service refuses to embed: ${describe(answer)}.`);
    const { error = '', error_code } = errorSchema.parse(body);
    return { code: error_code ?? (status ? `HTTP_${status}` : NO_ANSWER), reason: error };
  }

  async #send(path: string, init: RequestInit): Promise<Answer> {
    for (let attempt = 1, wait = FIRST_WAIT_MS; ; attempt++, wait = Math.min(2 * wait, MAX_WAIT_MS)) {
      await this.#pause();
      const answer = await this.#sendOnce(path, init);
      const isFinal = answer.status !== 0 && !RETRYABLE.includes(answer.status);
      if (isFinal || attempt === ATTEMPTS) return answer;
      const until = this.#clock.now() + (answer.retryAfterMs ?? wait);
      this.#pausedUntil = Math.max(this.#pausedUntil, until);
    }
  }

  async #sendOnce(path: string, { headers, ...init }: RequestInit): Promise<Answer> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
    try {
      const response = await fetch(`${this.#url}${path}`, {
        ...init,
        headers: { ...this.#headers, ...headers },
        signal,
      });
      const body = asJson(await response.text());
      return { status: response.status, body, retryAfterMs: retryAfter(response.headers) };
    } catch (error) {
      this.#signal.throwIfAborted();
      // fetch() itself says only that it failed.
      const { cause = error } = error as Error;
      return { status: 0, body: { error: errorMessage(cause) } };
    }
  }

  async #pause(): Promise<void> {
    this.#signal.throwIfAborted();
    // Another answer may prolong the pause.
    for (let ms = this.#remainingPause(); ms > 0; ms = this.#remainingPause()) {
      await this.#clock.sleep(ms, this.#signal);
    }
  }

  #remainingPause(): number {
    return this.#pausedUntil - this.#clock.now();
  }
}

/** Reads seconds or a date. */
function retryAfter(headers: Headers): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_WAIT_MS) : undefined;
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describe({ status, body }: Answer): string {
  const { error, error_code } = errorSchema.parse(body);
  const words = [error_code, error].filter(Boolean).join(', ');
  if (status === 0) return `no answer (${words})`;
  return `status ${status}${words ? ` (${words})` : ''}`;
}
