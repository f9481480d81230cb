import { vi } from 'vitest';
import { type ClientOptions, FaceEmbeddingClient } from '../../../clients/typescript/src/index.ts';

export interface SentRequest {
  /** Milliseconds since the script began, on the clock of the test. */
  at: number;
  path: string;
  headers: Record<string, string>;
  body: unknown;
  /** Pictures of its form. */
  images: number;
}

/** Answers one request, or none. */
export type Script = (request: SentRequest, signal: AbortSignal) => Response | Promise<Response>;

/** How a call ended, and when, on the clock of the test. */
export interface Ended {
  at: number;
  value?: unknown;
  // biome-ignore lint/suspicious/noExplicitAny: tests check single members
  error?: any;
}

/**
 * A client whose requests a script answers, on a clock that the test advances: for answers at times that the real service cannot
 * be made to give.
 */
export function scriptedClient(script: Script, options: Partial<ClientOptions> = {}) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  const began = performance.now();
  const now = () => Math.round(performance.now() - began);
  const requests: SentRequest[] = [];
  const client = new FaceEmbeddingClient({
    url: 'http://service.test',
    ...options,
    fetch: (async (url: string, { headers, body, signal }: RequestInit) => {
      const request: SentRequest = {
        at: now(),
        path: url.replace('http://service.test', ''),
        headers: headers as Record<string, string>,
        body,
        images: body instanceof FormData ? body.getAll('image').length : 1,
      };
      requests.push(request);
      signal?.throwIfAborted();
      return Promise.race([script(request, signal as AbortSignal), rejectionOf(signal as AbortSignal)]);
    }) as typeof fetch,
  });
  /** Runs the clock until the call has ended. */
  const end = async (call: Promise<unknown>): Promise<Ended> => {
    let ended: Ended | undefined;
    call.then(
      (value) => {
        ended = { at: now(), value };
      },
      (error) => {
        ended = { at: now(), error };
      },
    );
    // A bound on the clock of the test, not on that of the machine.
    while (ended === undefined && now() < 600_000) await vi.advanceTimersByTimeAsync(10);
    if (ended === undefined) throw new Error('The call did not end within ten minutes of its clock.');
    return ended;
  };
  return { client, requests, end, now };
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

/** A request that is never answered. */
export const noAnswer = () => new Promise<never>(() => {});

/** An answer that comes after a time. */
export const later = (ms: number, answer: () => Response) =>
  new Promise<Response>((resolve) => setTimeout(() => resolve(answer()), ms));

/** The base64 of 1 and 0 as float32. */
export const EMBEDDING = 'AACAPwAAAAA=';

export const found = () => Response.json({ embedding: EMBEDDING, face_detected: true });

export const refusal = (retryAfter?: number | string, code = 'OVERLOADED', status = 503) =>
  Response.json(
    { error: 'The service is at its capacity.', error_code: code, request_id: 'r-1' },
    { status, headers: retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) } },
  );

/** Newline-delimited JSON; cut off if it has no last line. */
export const lines = (...objects: object[]) =>
  new Response(objects.map((object) => `${JSON.stringify(object)}\n`).join(''));
