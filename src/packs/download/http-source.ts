import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { errorMessage } from '../../errors.ts';
import { basicCredentials, type RequestOptions, sendGet } from './http-request.ts';
import { displayUrl, isRetryable, SourceError } from './source-error.ts';

/** GitHub needs one, a mirror in front of an object store two. */
const MAX_REDIRECTS = 5;

export interface SourceRequestOptions extends RequestOptions {
  /** Value of an Authorization header for the origin of the source, where its URL has no user name. */
  authorization?: string | undefined;
}

/**
 * Requests a URL and follows redirects. Credentials, of the URL or given, are sent to its origin only.
 *
 * @returns the final response, with status 200, 206 or 416. The caller must read or destroy it.
 * @throws {SourceError} for any other status, and when there is no response.
 * @throws the signal's reason when it is aborted.
 */
export async function requestSource(
  source: URL,
  headers: OutgoingHttpHeaders,
  options: SourceRequestOptions,
): Promise<IncomingMessage> {
  let url = source;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await send(
      url,
      { ...headers, ...credentialsFor(url, source, options.authorization) },
      options,
    );
    const { statusCode: status = 0 } = response;
    if ([200, 206, 416].includes(status)) return response;
    // Its body is of no use, and may have no end.
    response.destroy();
    const { location } = response.headers;
    if (status < 300 || status > 399 || location === undefined) {
      throw new SourceError(`${displayUrl(url)} answered ${status}.`, {
        retryable: isRetryable(status),
        status,
      });
    }
    url = redirectTarget(url, location);
  }
  throw new SourceError(`${displayUrl(source)} redirects more than ${MAX_REDIRECTS} times.`, {
    retryable: false,
  });
}

/** Reasons by the code of an error, where Node's own message does not say it. */
const REASONS: Record<string, string> = {
  ECONNRESET: 'closed by the other side',
  EMFILE: 'this process has too many open files',
};

/** The reason of a network failure, as part of a sentence. */
export function describeNetworkError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code && REASONS[code];
  if (reason) return `${reason}, ${code}`;
  // If several addresses were tried, the error has a code and no message. OpenSSL's messages end with a line break.
  return message ? errorMessage(error).trim() : (code ?? 'unknown error');
}

async function send(
  url: URL,
  headers: OutgoingHttpHeaders,
  options: RequestOptions,
): Promise<IncomingMessage> {
  try {
    return await sendGet(url, { 'accept-encoding': 'identity', ...headers }, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof SourceError) throw error;
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

function credentialsFor(url: URL, source: URL, given: string | undefined): OutgoingHttpHeaders {
  const credentials = url.origin === source.origin ? (basicCredentials(source) ?? given) : undefined;
  return credentials === undefined ? {} : { authorization: credentials };
}
