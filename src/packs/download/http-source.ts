import { type Dispatcher, EnvHttpProxyAgent, Pool, request } from 'undici';
import { errorMessage } from '../../errors.ts';
import { PackDownloadError } from '../pack-errors.ts';
import type { DownloadTuning } from './tuning.ts';

/** GitHub needs one, a mirror in front of an object store two. */
const MOST_REDIRECTS = 5;

/** Answers that may be another one in a moment; every other failure is final. */
const PASSING_STATUSES = new Set([408, 425, 429, 500, 502, 503, 504]);

/** One attempt at one source failed. Messages and fields never hold credentials of a URL or a proxy. */
export class SourceError extends PackDownloadError {
  /** Whether another attempt at the same source makes sense. */
  readonly passing: boolean;

  constructor(message: string, { passing }: { passing: boolean }) {
    super(message);
    this.passing = passing;
  }
}

export interface SourceAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Dispatcher.ResponseData['body'];
}

/**
 * A dispatcher that honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY (upper or lower case), read at this moment.
 *
 * @throws {SourceError} when a proxy variable is not a URL.
 */
export function createSourceDispatcher(tuning: DownloadTuning): Dispatcher {
  const connect = { timeout: tuning.connectTimeoutMs };
  const waits = { headersTimeout: tuning.headersTimeoutMs, bodyTimeout: tuning.idleTimeoutMs };
  try {
    return new EnvHttpProxyAgent({
      ...waits,
      connect,
      proxyTls: connect,
      requestTls: connect,
      // Without it a proxy that accepts a connection and says nothing would be waited for five minutes.
      clientFactory: (origin, options) => new Pool(origin, { ...options, ...waits }),
      // Plain HTTP goes through a proxy as a request, as everywhere; many proxies tunnel to port 443 only.
      proxyTunnel: false,
    });
  } catch {
    throw new SourceError('HTTP_PROXY or HTTPS_PROXY is not a URL.', { passing: false });
  }
}

/**
 * Asks for a URL and follows redirects. User name and password of the URL become a header for its own origin.
 *
 * @returns the final answer, of status 200, 206 or 416. The caller must read or destroy its body.
 * @throws {SourceError} for any other answer, and when there is none.
 * @throws the signal's reason when it fires.
 */
export async function askSource(
  source: URL,
  headers: Record<string, string>,
  { dispatcher, signal }: { dispatcher: Dispatcher; signal?: AbortSignal | undefined },
): Promise<SourceAnswer> {
  let url = source;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const answer = await ask(url, { ...headers, ...credentialsFor(url, source) }, { dispatcher, signal });
    if ([200, 206, 416].includes(answer.status)) return answer;
    await answer.body.dump().catch(() => {});
    const { location } = answer.headers;
    if (answer.status < 300 || answer.status > 399 || typeof location !== 'string') {
      throw new SourceError(`${displayUrl(url)} answered ${answer.status}.`, {
        passing: PASSING_STATUSES.has(answer.status),
      });
    }
    url = redirectTarget(url, location);
  }
  throw new SourceError(`${displayUrl(source)} redirects more than ${MOST_REDIRECTS} times.`, {
    passing: false,
  });
}

/** A URL for logs and errors: without user name, password and query, each of which may be a secret. */
export function displayUrl({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

/** A sentence part that says what went wrong with a connection. */
export function describeNetworkError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  // An attempt at several addresses fails with an error that has a code and no message.
  return message ? errorMessage(error) : (code ?? 'unknown error');
}

async function ask(
  url: URL,
  headers: Record<string, string>,
  { dispatcher, signal }: { dispatcher: Dispatcher; signal?: AbortSignal | undefined },
): Promise<SourceAnswer> {
  try {
    const {
      statusCode,
      headers: answered,
      body,
    } = await request(`${url.origin}${url.pathname}${url.search}`, {
      dispatcher,
      headers: { 'accept-encoding': 'identity', ...headers },
      signal: signal ?? null,
    });
    // A body that is destroyed, or breaks while nobody reads it, must not end the process.
    body.on('error', () => {});
    return { status: statusCode, headers: answered, body };
  } catch (error) {
    signal?.throwIfAborted();
    throw new SourceError(`${displayUrl(url)} cannot be reached (${describeNetworkError(error)}).`, {
      passing: true,
    });
  }
}

function redirectTarget(from: URL, location: string): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (target?.protocol !== 'http:' && target?.protocol !== 'https:') {
    throw new SourceError(`${displayUrl(from)} redirects to something that is no http(s) URL.`, {
      passing: false,
    });
  }
  return target;
}

function credentialsFor(url: URL, { origin, username, password }: URL): Record<string, string> {
  if (url.origin !== origin || (username === '' && password === '')) return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}
