import { errorOf, FaceEmbeddingError } from './errors.ts';
import { type Finding, Pressure } from './pressure.ts';

/** The wait before a second attempt, doubled with each that follows, unless the service says how long. */
const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 4_000;

/** Timers of all runtimes hold no more, and end at once with it. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** How much longer than asked a wait may be. */
const JITTER = 0.5;

export interface ClientOptions {
  /** Of the service, with its API prefix if it has one: `https://faces.example.com/api`. */
  url: string;
  /** Sent as `Authorization: Bearer`. */
  apiKey?: string | undefined;
  /** Maximum time of a call with all its attempts, in milliseconds. Default: 30 seconds. */
  timeoutMs?: number | undefined;
  /**
   * Maximum time of one attempt without any bytes of an answer, in milliseconds. By default as long as the call: an attempt that is
   * given up loses its place in the queue of the service.
   */
  attemptTimeoutMs?: number | undefined;
  /** Maximum images that are at the service at a time. The client lowers it by itself when the service is full. Default: 64. */
  maxOpen?: number | undefined;
  /** How long nothing but refusals opens the circuit, in milliseconds. Default: 10 seconds. */
  openAfterMs?: number | undefined;
  /** Headers of all requests. */
  headers?: Record<string, string> | undefined;
  /** In place of the runtime's. */
  fetch?: typeof fetch | undefined;
}

/** What one call may set. */
export interface CallOptions {
  /** Ends the call, which then throws the reason of the signal. */
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
  attemptTimeoutMs?: number | undefined;
  /** Sent as `X-Request-Id`, under which the service logs each attempt. */
  requestId?: string | undefined;
}

export interface Attempt {
  method: 'GET' | 'POST';
  /** With the query, and without the base of the service. */
  path: string;
  headers?: Record<string, string>;
  body?: Blob | FormData | Uint8Array<ArrayBuffer> | string;
  /** How many places it takes at the service. */
  images: number;
  /** The statuses of answers, where not only 200 is one. */
  statuses?: readonly number[];
}

export interface Call<T> {
  /** Makes the request of an attempt, which differs from the last one when part of the work is done. */
  prepare: (attempt: number) => Attempt;
  /** Reads an answer with the status 200. */
  read: (response: Response, reading: Reading) => Promise<T>;
}

export interface Reading {
  /** To be called whenever a part of the answer has come. */
  progress: () => void;
  /** Aborted when the attempt is over. */
  signal: AbortSignal;
}

interface AttemptOptions extends CallOptions {
  signal: AbortSignal;
  /** On the clock of performance.now(). */
  deadline: number;
}

/** Sends requests, and repeats what may succeed later for as long as the call has time. */
export class Transport {
  readonly pressure: Pressure;
  readonly #options: ClientOptions;
  readonly #base: string;
  #calls = 0;

  /** @throws {TypeError} when `url` is none. */
  constructor(options: ClientOptions) {
    this.#options = options;
    const { location } = globalThis as { location?: { href: string } };
    this.#base = new URL(options.url, location?.href).href.replace(/\/+$/, '');
    this.pressure = new Pressure({
      maxOpen: options.maxOpen ?? 64,
      openAfterMs: options.openAfterMs ?? 10_000,
    });
  }

  /**
   * @throws {FaceEmbeddingError}; the reason of the signal.
   */
  async call<T>(call: Call<T>, options: CallOptions = {}): Promise<T> {
    const order = this.#calls++;
    const timeoutMs = Math.min(MAX_TIMER_MS, options.timeoutMs ?? this.#options.timeoutMs ?? 30_000);
    const deadline = performance.now() + timeoutMs;
    const signal = options.signal ?? new AbortController().signal;
    for (let number = 0; ; number++) {
      const attempt = call.prepare(number);
      const leave = await this.pressure.enter(order, attempt.images, deadline, signal);
      let finding: Finding;
      try {
        const result = await this.attempt(attempt, call.read, { ...options, signal, deadline });
        finding = 'served';
        return result;
      } catch (error) {
        if (!(error instanceof FaceEmbeddingError)) throw error;
        finding = error.retryable ? error : 'served';
        if (!error.retryable) throw error;
        // Not at the end of the wait.
        leave(finding);
        await waitFor(error, number, deadline, signal);
      } finally {
        leave(finding);
      }
    }
  }

  /** Sends one request, however full the service is. */
  async attempt<T>(
    { method, path, headers, body, statuses = [200] }: Attempt,
    read: Call<T>['read'],
    options: AttemptOptions,
  ): Promise<T> {
    options.signal.throwIfAborted();
    const limit = new Limit(options, options.attemptTimeoutMs ?? this.#options.attemptTimeoutMs);
    const { apiKey, headers: own, fetch: send = fetch } = this.#options;
    const work = async () => {
      const response = await send(this.#base + path, {
        method,
        headers: {
          ...(apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` }),
          ...(options.requestId === undefined ? {} : { 'X-Request-Id': options.requestId }),
          ...own,
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
        // Photographs and keys go to no other place than the one that was named.
        redirect: 'manual',
        signal: limit.signal,
      });
      limit.restart();
      if (!statuses.includes(response.status)) throw await errorOf(response);
      return read(response, { progress: () => limit.restart(), signal: limit.signal });
    };
    try {
      // The body of an aborted fetch may never end (Node 20), so the signal is not left to it.
      return await Promise.race([work(), limit.reached]);
    } catch (error) {
      options.signal.throwIfAborted();
      throw limit.passed ?? asClientError(error, options.requestId);
    } finally {
      limit.end();
    }
  }
}

/** Ends an attempt with the signal of the caller, at the deadline of the call, or when nothing comes for too long. */
class Limit {
  readonly #controller = new AbortController();
  readonly #options: AttemptOptions;
  readonly #idleMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Rejects when the attempt must end. */
  readonly reached: Promise<never>;
  /** Set when the time was over. */
  passed: FaceEmbeddingError | undefined;

  constructor(options: AttemptOptions, idleMs = Infinity) {
    this.#options = options;
    this.#idleMs = idleMs;
    this.reached = new Promise((_, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason));
    });
    options.signal.addEventListener('abort', this.#abort);
    this.restart();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  restart(): void {
    clearTimeout(this.#timer);
    const { deadline, requestId } = this.#options;
    const left = Math.max(0, deadline - performance.now());
    const isLast = left <= this.#idleMs;
    this.#timer = setTimeout(
      () => {
        this.passed = new FaceEmbeddingError(
          'TIMEOUT',
          isLast ? 'The time of the call is over.' : 'The service did not answer in time.',
          { retryable: true, requestId },
        );
        this.#controller.abort(this.passed);
      },
      Math.min(left, this.#idleMs),
    );
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#options.signal.removeEventListener('abort', this.#abort);
  }

  readonly #abort = () => this.#controller.abort(this.#options.signal.reason);
}

function asClientError(error: unknown, requestId: string | undefined): FaceEmbeddingError {
  if (error instanceof FaceEmbeddingError) return error;
  // fetch itself says only that it failed.
  const { message = '', cause } = error as { message?: string; cause?: { message?: string } };
  const reason = cause?.message ?? message;
  return new FaceEmbeddingError('CONNECTION_FAILED', `The service gave no complete answer: ${reason}`, {
    cause: error,
    requestId,
    retryable: true,
  });
}

/** @throws {FaceEmbeddingError} the failure itself when the call has no time for another attempt. */
async function waitFor(
  failure: FaceEmbeddingError,
  attempt: number,
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  const backoff = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  const wait =
    (failure.retryAfterMs ?? backoff) + JITTER * Math.random() * Math.max(backoff, failure.retryAfterMs ?? 0);
  if (performance.now() + wait >= deadline) throw failure;
  await new Promise<void>((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, wait);
    signal.addEventListener('abort', abort);
  });
}
