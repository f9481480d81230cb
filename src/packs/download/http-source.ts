import { type Dispatcher, EnvHttpProxyAgent, Pool, request } from 'undici';
import { errorMessage } from '../../errors.ts';
import { PackDownloadError } from '../pack-errors.ts';
import type { DownloadTuning } from './tuning.ts';

/** GitHub needs one, a mirror in front of an object store two. */
const MAX_REDIRECTS = 5;

const RETRYABLE_STATUSES = new Set([408, 425, 429, 500, 502, 503, 504]);

/** A request to a source failed. Messages and fields never contain credentials of a URL or a proxy. */
export class SourceError extends PackDownloadError {
  /** Whether another attempt at the same source may succeed. */
  readonly retryable: boolean;

  constructor(message: string, { retryable }: { retryable: boolean }) {
    super(message);
    this.retryable = retryable;
  }
}

export interface SourceResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Dispatcher.ResponseData['body'];
}

/**
 * Creates a dispatcher that uses HTTP_PROXY, HTTPS_PROXY and NO_PROXY (upper or lower case) in their current state.
 *
 * @throws {SourceError} when a proxy variable is not a URL.
 */
export function createSourceDispatcher(tuning: DownloadTuning): Dispatcher {
  const connect = { timeout: tuning.connectTimeoutMs };
  const timeouts = { headersTimeout: tuning.headersTimeoutMs, bodyTimeout: tuning.idleTimeoutMs };
  try {
    return new EnvHttpProxyAgent({
      ...timeouts,
      connect,
      proxyTls: connect,
      requestTls: connect,
      // Applies the timeouts to the connection with a proxy, too. Otherwise a silent proxy would block for five minutes.
      clientFactory: (origin, options) => new Pool(origin, { ...options, ...timeouts }),
      // Send plain HTTP as a request to the proxy, as other clients do: many proxies tunnel to port 443 only.
      proxyTunnel: false,
    });
  } catch {
    throw new SourceError('HTTP_PROXY or HTTPS_PROXY is not a URL.', { retryable: false });
  }
}

/**
 * Requests a URL and follows redirects. User name and password of the URL are sent to its origin only.
 *
 * @returns the final response, with status 200, 206 or 416. The caller must read or destroy its body.
 * @throws {SourceError} for any other status, and when there is no response.
 * @throws the signal's reason when it is aborted.
 */
export async function requestSource(
  source: URL,
  headers: Record<string, string>,
  { dispatcher, signal }: { dispatcher: Dispatcher; signal?: AbortSignal | undefined },
): Promise<SourceResponse> {
  let url = source;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await send(url, { ...headers, ...credentialsFor(url, source) }, { dispatcher, signal });
    if ([200, 206, 416].includes(response.status)) return response;
    await response.body.dump().catch(() => {});
    const { location } = response.headers;
    if (response.status < 300 || response.status > 399 || typeof location !== 'string') {
      throw new SourceError(`${displayUrl(url)} answered ${response.status}.`, {
        retryable: RETRYABLE_STATUSES.has(response.status),
      });
    }
    url = redirectTarget(url, location);
  }
  throw new SourceError(`${displayUrl(source)} redirects more than ${MAX_REDIRECTS} times.`, {
    retryable: false,
  });
}

/** The URL for logs and errors, without user name, password and query, which may be secret. */
export function displayUrl({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

/** The reason of a network failure, as part of a sentence. */
export function describeNetworkError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  // If several addresses were tried, the error has a code and no message.
  return message ? errorMessage(error) : (code ?? 'unknown error');
}

async function send(
  url: URL,
  headers: Record<string, string>,
  { dispatcher, signal }: { dispatcher: Dispatcher; signal?: AbortSignal | undefined },
): Promise<SourceResponse> {
  try {
    const response = await request(`${url.origin}${url.pathname}${url.search}`, {
      dispatcher,
      headers: { 'accept-encoding': 'identity', ...headers },
      signal: signal ?? null,
    });
    // Without a listener, an error while the body is not being read would end the process.
    response.body.on('error', () => {});
    return { status: response.statusCode, headers: response.headers, body: response.body };
  } catch (error) {
    signal?.throwIfAborted();
    throw new SourceError(`${displayUrl(url)} cannot be reached (${describeNetworkError(error)}).`, {
      retryable: true,
    });
  }
}

function redirectTarget(from: URL, location: string): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (target?.protocol !== 'http:' && target?.protocol !== 'https:') {
    throw new SourceError(`${displayUrl(from)} redirects to something other than an http(s) URL.`, {
      retryable: false,
    });
  }
  return target;
}

function credentialsFor(url: URL, { origin, username, password }: URL): Record<string, string> {
  if (url.origin !== origin || (username === '' && password === '')) return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}
