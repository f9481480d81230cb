import { byId, sleep } from './view/dom.ts';

/* Calls of the service: one at a time, with the key of the tab, and with the patience that the service asks for. */

export interface Sent {
  /** Relative to the page: `v1/embed`. */
  path: string;
  query: Record<string, string>;
  /** Content-Type. */
  type: string;
  body: Blob | string;
  /** What the code calls the file that is the body. */
  file?: string;
}

export interface Answer<T> {
  body: T;
  sent: Sent;
  /** Milliseconds of each stage, from Server-Timing. */
  stages: [string, number][];
  /** Milliseconds from the first byte sent to the last byte read. */
  total: number;
}

interface ErrorBody {
  error?: string;
  error_code?: string;
  detail?: string;
  request_id?: string;
  reasons?: string[];
}

/** An answer that is no success, or none. */
export class Failure extends Error {
  readonly code: string;
  /** The members of the error, as the service sent them. */
  readonly body: ErrorBody;
  /** Seconds, from Retry-After. */
  readonly retryAfter: number | undefined;

  constructor(code: string, body: ErrorBody, retryAfter?: number) {
    super(body.error ?? code);
    this.code = code;
    this.body = body;
    this.retryAfter = retryAfter;
  }

  /** What to do about it, in words. */
  get action(): string {
    if (this.code === 'UNAUTHORIZED') return 'Enter a valid key at the top of the page, under “API key”.';
    if (this.code === 'UNREACHABLE')
      return 'Check that the service runs and that the network is there, then try again.';
    if (this.code === 'UNREADABLE')
      return 'It was moved, changed or deleted, or is a folder. Choose it again.';
    return (
      page.errors[this.code]?.action ?? 'Try again; if it stays so, tell the operator what is shown here.'
    );
  }

  /** Whether the same request may succeed later. */
  get retryable(): boolean {
    if (this.code === 'UNREADABLE') return false;
    return page.errors[this.code]?.retryable ?? true;
  }
}

/** Whether the page offers to send it again: a key may have been entered meanwhile. */
export const canRepeat = ({ retryable, code }: Failure): boolean => retryable || code === 'UNAUTHORIZED';

/** What the service wrote into the page: its version, and its catalogue of errors. */
export const page: { version: string; errors: Record<string, { action: string; retryable: boolean }> } =
  JSON.parse(byId('data').textContent ?? '{}');

const KEY = 'api-key';

/** Where the browser lets the page keep nothing, the key lives as long as the page. */
let unkept = '';

/** The API key; it lives as long as the tab. Empty for none. */
export const apiKey = {
  get(): string {
    try {
      return sessionStorage.getItem(KEY) ?? '';
    } catch {
      return unkept;
    }
  },
  set(value: string): void {
    unkept = value;
    try {
      if (value === '') sessionStorage.removeItem(KEY);
      else sessionStorage.setItem(KEY, value);
    } catch {
      // It is kept above.
    }
  },
};

/** Called when the service asks for a key, or refuses the one that was sent. */
export const onKeyWanted: (() => void)[] = [];

export const addressOf = ({ path, query }: Pick<Sent, 'path' | 'query'>): string => {
  const options = new URLSearchParams(query).toString();
  const address = new URL(path + (options && `?${options}`), document.baseURI);
  // Those of a page that was opened as https://name:password@…: the browser sends them itself, fetch refuses an address that has
  // them, and the code would show them.
  address.username = '';
  address.password = '';
  return address.href;
};

/** Of a request that the service asks to repeat. */
const ATTEMPTS = 6;
/** Seconds; the page does not wait longer for a single picture. */
const LONGEST_WAIT = 60;

/** A large photograph from a slow phone takes a minute. Behind a request without an answer, all others would wait for ever. */
const LONGEST_CALL_MS = 120_000;

let turn: Promise<unknown> = Promise.resolve();

/** Runs a job after all that asked before it: the page never sends a photograph while another is on its way. */
export function inTurn<T>(job: () => Promise<T>): Promise<T> {
  const mine = turn.then(job);
  turn = mine.catch(() => {});
  return mine;
}

/** @throws {Failure} */
export async function post<T>(sent: Sent, signal?: AbortSignal): Promise<Answer<T>> {
  const began = performance.now();
  const response = await ask(addressOf(sent), {
    method: 'POST',
    headers: { 'Content-Type': sent.type },
    body: sent.body,
    ...(signal && { signal }),
  });
  const body = (await read(response)) as T;
  const stages = (response.headers.get('Server-Timing') ?? '')
    .split(', ')
    .map((entry) => entry.split(';dur='))
    .filter((parts) => parts.length === 2)
    .map(([name, ms]): [string, number] => [String(name), Number(ms)]);
  return { body, sent, stages, total: performance.now() - began };
}

/** @throws {Failure} */
export async function get<T>(path: string): Promise<T> {
  return (await read(await ask(addressOf({ path, query: {} }), {}))) as T;
}

/**
 * Sends a request, and sends it again after the time that the service names, as long as it names one.
 *
 * @param onWait called with the seconds before each pause.
 * @throws {Failure} when it was refused for good, or too often.
 */
export async function postPatiently<T>(
  sent: Sent,
  signal: AbortSignal,
  onWait: (seconds: number) => void,
): Promise<Answer<T>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await post<T>(sent, signal);
    } catch (error) {
      const wait = error instanceof Failure ? error.retryAfter : undefined;
      if (wait === undefined || attempt === ATTEMPTS || wait > LONGEST_WAIT || signal.aborted) throw error;
      onWait(wait);
      await sleep(wait * 1000, signal);
      signal.throwIfAborted();
    }
  }
}

async function ask(
  address: string,
  options: RequestInit & { headers?: Record<string, string> },
): Promise<Response> {
  const key = apiKey.get();
  const headers = { ...options.headers, ...(key && { 'X-API-Key': key }) };
  const late = AbortSignal.timeout(LONGEST_CALL_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, late]) : late;
  try {
    return await fetch(address, {
      ...options,
      headers,
      signal,
      cache: 'no-store',
      credentials: 'same-origin',
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    if (options.body instanceof Blob && !(await isReadable(options.body)))
      throw new Failure('UNREADABLE', { error: 'The browser cannot read the file any more.' });
    throw new Failure('UNREACHABLE', { error: 'The service does not answer.' });
  }
}

/** Whether it can still be read: a file may have been changed or deleted since it was chosen, and a folder never can. */
const isReadable = (blob: Blob): Promise<boolean> =>
  blob
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );

async function read(response: Response): Promise<unknown> {
  // What stands before the service may answer with a page of its own, and a connection may end in the middle.
  const body = (await response.json().catch(() => undefined)) as ErrorBody | undefined;
  if (response.ok) {
    if (body === undefined) throw new Failure('UNREACHABLE', { error: 'The answer is incomplete.' });
    return body;
  }
  if (response.status === 401) for (const listener of onKeyWanted) listener();
  const wait = Number(response.headers.get('Retry-After') ?? Number.NaN);
  throw new Failure(
    body?.error_code ?? `HTTP ${response.status}`,
    { error: 'The service, or what stands before it, refused the request.', ...body },
    Number.isFinite(wait) ? Math.max(wait, 0.1) : undefined,
  );
}
