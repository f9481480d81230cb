import http, { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import { isIP, type Socket } from 'node:net';
import tls from 'node:tls';
import { type ProxyVariables, proxyFor } from './proxy.ts';
import { displayUrl, isRetryable, SourceError } from './source-error.ts';
import type { DownloadTuning } from './tuning.ts';

/** How a host is reached, where that is not as the environment says. */
export interface ConnectionOptions {
  /** In the place of HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the process. */
  proxies?: ProxyVariables | undefined;
  /** As Node's options of the same names. */
  tls?: Pick<tls.ConnectionOptions, 'ca' | 'rejectUnauthorized'> | undefined;
}

export interface RequestOptions extends ConnectionOptions {
  tuning: Pick<DownloadTuning, 'connectTimeoutMs' | 'headersTimeoutMs'>;
  signal?: AbortSignal | undefined;
}

/**
 * Sends a GET request on a connection of its own, through a proxy where the environment names one. Not with undici, which is also
 * behind Node's fetch: versions 6.28 and 7.30 end the process by an assertion when a server closes the connection of a body that
 * waits to be read.
 *
 * @returns the final response. The caller must read or destroy it.
 * @throws {SourceError} when a proxy refuses.
 * @throws the error of the network, or the signal's abort error.
 */
export async function sendGet(
  url: URL,
  headers: OutgoingHttpHeaders,
  options: RequestOptions,
): Promise<IncomingMessage> {
  const proxy = proxyFor(url, options.proxies);
  const path = `${url.pathname}${url.search}`;
  if (proxy === undefined) {
    const { signal } = options;
    const request = open(url, { path, headers: { host: url.host, ...headers }, signal }, options.tls);
    return finalResponse(request, isSecure(url), options);
  }
  if (!isSecure(url)) {
    // Sent as a request to the proxy, as other clients do: many proxies tunnel to port 443 only.
    const request = open(
      proxy,
      {
        path: `${url.origin}${path}`,
        headers: { host: url.host, ...headers, ...proxyCredentials(proxy) },
        signal: options.signal,
      },
      options.tls,
    );
    return finalResponse(request, isSecure(proxy), options);
  }
  const tunnel = await openTunnel(proxy, url, options);
  const socket = tls.connect({
    socket: tunnel,
    ...identityOf(url),
    ...options.tls,
    ALPNProtocols: ['http/1.1'],
  });
  tunnel.on('error', (error) => socket.destroy(error));
  const request = https.request({
    createConnection: () => socket,
    path,
    headers: { host: url.host, ...headers },
    signal: options.signal,
  });
  return finalResponse(request, true, options);
}

/** The value of an Authorization header with the user name and password of a URL, if it has any. */
export function basicCredentials({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  return `Basic ${Buffer.from(`${decode(username)}:${decode(password)}`).toString('base64')}`;
}

function open(
  url: URL,
  options: Pick<http.RequestOptions, 'method' | 'path' | 'headers' | 'signal'>,
  tls: ConnectionOptions['tls'],
): ClientRequest {
  const { request } = isSecure(url) ? https : http;
  // Not the URL itself: Node would send its user name and password. Without an agent, the connection is not kept.
  return request({ ...options, ...tls, ...identityOf(url), port: url.port, agent: false });
}

async function openTunnel(proxy: URL, url: URL, options: RequestOptions): Promise<Socket> {
  const authority = `${url.hostname}:${url.port || 443}`;
  const request = open(
    proxy,
    {
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...proxyCredentials(proxy) },
      signal: options.signal,
    },
    options.tls,
  );
  const connected = new Promise<Socket>((resolve, reject) => {
    request.once('connect', ({ statusCode = 0 }, socket) => {
      if (statusCode >= 200 && statusCode <= 299) {
        resolve(socket as Socket);
        return;
      }
      socket.destroy();
      const refusal = `the proxy ${proxy.host} answered ${statusCode}`;
      reject(
        new SourceError(`${displayUrl(url)} cannot be reached (${refusal}).`, {
          retryable: isRetryable(statusCode),
        }),
      );
    });
  });
  return withDeadlines(request, isSecure(proxy), options, connected);
}

async function finalResponse(
  request: ClientRequest,
  secure: boolean,
  options: RequestOptions,
): Promise<IncomingMessage> {
  const responded = new Promise<IncomingMessage>((resolve) => {
    request.once('response', (response) => {
      // A body without a length would pass for complete when its connection is reset. What follows a complete one does not matter.
      request.on('error', (error) => {
        if (!response.complete) response.destroy(error);
      });
      // Without a listener, an error while the body is not being read would end the process.
      response.on('error', () => {});
      resolve(response);
    });
  });
  return withDeadlines(request, secure, options, responded);
}

/** Sends a request. Interim responses (1xx) do not extend the time until the final one. */
async function withDeadlines<T>(
  request: ClientRequest,
  secure: boolean,
  { tuning }: RequestOptions,
  outcome: Promise<T>,
): Promise<T> {
  const limit = (ms: number, missing: string) =>
    setTimeout(() => request.destroy(new Error(`no ${missing} within ${ms / 1000} s`)), ms);
  let timer = limit(tuning.connectTimeoutMs, 'connection');
  request.once('socket', (socket) => {
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      timer = limit(tuning.headersTimeoutMs, 'answer');
    });
  });
  // The listener stays, because an error that comes after the outcome must not end the process.
  const failed = new Promise<never>((_, reject) => {
    request.on('error', reject);
    // Also without an error, for instance after 101 (Switching Protocols).
    request.once('close', () => reject(new Error('closed without an answer')));
  });
  request.end();
  try {
    return await Promise.race([outcome, failed]);
  } finally {
    clearTimeout(timer);
  }
}

function isSecure({ protocol }: URL): boolean {
  return protocol === 'https:';
}

/** Host and name for TLS. Without a name, Node would take it from the Host header, which is not the proxy's. */
function identityOf({ hostname }: URL): { host: string; servername: string } {
  const host = hostname.replace(/^\[|\]$/g, '');
  return { host, servername: isIP(host) ? '' : host };
}

function proxyCredentials(proxy: URL): OutgoingHttpHeaders {
  const credentials = basicCredentials(proxy);
  return credentials === undefined ? {} : { 'proxy-authorization': credentials };
}

/** A password with a percent sign that encodes nothing is meant as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
