import { setTimeout as sleep } from 'node:timers/promises';
import { CalibrationError } from '../usage-error.ts';

/** As often as a picture is tried before it is listed as failed; with the waits below, for some minutes. */
const ATTEMPTS = 8;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const ANSWER_TIMEOUT_MS = 120_000;
/** A gateway's answers count like the service's own: later it may work. */
const WORTH_ANOTHER_TRY = [429, 502, 503, 504];
const NO_ANSWER = 'NO_ANSWER';

/** All that is known of the service: its HTTP interface. */
export class ServiceClient {
  #url;
  #headers;
  #signal;
  #firstWait;
  /** Until then nothing is sent: one Retry-After is meant for all. */
  #quietUntil = 0;

  constructor({ url, apiKey, signal, firstWaitMs = FIRST_WAIT_MS }) {
    this.#url = url;
    this.#headers = apiKey ? { Authorization: `Bearer ${apiKey}` } : {};
    this.#signal = signal;
    this.#firstWait = firstWaitMs;
  }

  /**
   * What is loaded, as /v1/model-info says it.
   *
   * @throws {CalibrationError} when there is no such service, or no model.
   */
  async modelInfo() {
    const { status, body } = await this.#send('/v1/model-info', { method: 'GET' });
    if (status === 200 && typeof body?.embedding_space === 'string') return body;
    throw new CalibrationError(`${this.#url} does not answer as the service: ${describe({ status, body })}.`);
  }

  /**
   * Embeds the largest face of a picture.
   *
   * @param bytes the encoded picture.
   * @returns {face} with the answer of the service, or {code, reason} of its refusal, `NO_ANSWER` without any.
   * @throws {CalibrationError} when no other picture would fare better: a wrong API key, or a service that is gone.
   */
  async embed(bytes) {
    const headers = { 'Content-Type': 'application/octet-stream' };
    const { status, body } = await this.#send('/v1/embed?faces=largest&encoding_format=base64', {
      method: 'POST',
      headers,
      body: bytes,
    });
    if (status === 200) return { face: body };
    if ([401, 403, 404, 405].includes(status))
      throw new CalibrationError(`The service refuses to embed: ${describe({ status, body })}.`);
    return { code: body?.error_code ?? (status ? `HTTP_${status}` : NO_ANSWER), reason: body?.error ?? '' };
  }

  /** Tries again what may work later. Status 0 stands for no answer. */
  async #send(path, init) {
    for (let attempt = 1, wait = this.#firstWait; ; attempt++, wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      await this.#untilQuietIsOver();
      const answer = await this.#sendOnce(path, init);
      const isFinal = answer.status !== 0 && !WORTH_ANOTHER_TRY.includes(answer.status);
      if (isFinal || attempt === ATTEMPTS) return answer;
      this.#quietUntil = Math.max(this.#quietUntil, performance.now() + (answer.retryAfterMs ?? wait));
    }
  }

  async #sendOnce(path, { headers, ...init }) {
    const signal = AbortSignal.any([
      ...(this.#signal ? [this.#signal] : []),
      AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    ]);
    try {
      const response = await fetch(`${this.#url}${path}`, {
        ...init,
        headers: { ...this.#headers, ...headers },
        signal,
      });
      const text = await response.text();
      return { status: response.status, body: asJson(text), retryAfterMs: retryAfter(response.headers) };
    } catch (error) {
      this.#signal?.throwIfAborted();
      return { status: 0, body: { error: error.cause?.message ?? error.message } };
    }
  }

  async #untilQuietIsOver() {
    for (;;) {
      this.#signal?.throwIfAborted();
      const rest = this.#quietUntil - performance.now();
      if (rest <= 0) return;
      await sleep(rest, undefined, { signal: this.#signal });
    }
  }
}

/** Seconds, or a date. */
function retryAfter(headers) {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), LONGEST_WAIT_MS) : undefined;
}

function asJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describe({ status, body }) {
  const words = [body?.error_code, body?.error].filter(Boolean).join(', ');
  if (status === 0) return `no answer (${words})`;
  return `status ${status}${words ? ` (${words})` : ''}`;
}
