import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Config, SettingName } from '../config/settings.ts';
import { ServiceError, StartupError } from '../errors.ts';
import { errorBody } from './error-answers.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** How often Node looks for connections that are too slow, in milliseconds: the precision of the time limits. */
const TIMEOUT_CHECK_MS = 1_000;
/** The application answers a slow body itself; this is for what it does not read. */
const BODY_TIMEOUT_MARGIN_MS = 5_000;
/** After an answer, the rest of an unread body is read and thrown away for so long, and so many bytes, at most. */
const LINGER_MS = 3_000;
const LINGER_BYTES = 64 * 1024 * 1024;

type Limits = Pick<Config, 'HEADERS_TIMEOUT_MS' | 'BODY_TIMEOUT_MS' | 'KEEP_ALIVE_TIMEOUT_MS'>;

export interface ListeningServer {
  /** The port it got, which is another than asked for when that was 0. */
  port: number;
  /** Accepts no connection any more; settles when every request has been answered. */
  close: () => Promise<void>;
}

export interface Address {
  host: string;
  port: number;
  /** The setting that the port is from, for the error. */
  setting: SettingName;
}

/**
 * Listens for an application.
 *
 * @throws {StartupError} when the address cannot be listened on.
 */
export async function listen(
  app: Pick<Hono, 'fetch'>,
  address: Address,
  limits: Limits,
): Promise<ListeningServer> {
  const listener = getRequestListener(app.fetch, {
    // Only a request that is no URL, or has no usable Host, fails outside the application.
    errorHandler: () => malformedResponse(),
    autoCleanupIncoming: false,
  });
  let closing = false;
  const server = createServer(
    {
      keepAliveTimeout: limits.KEEP_ALIVE_TIMEOUT_MS,
      headersTimeout: limits.HEADERS_TIMEOUT_MS,
      requestTimeout: Math.max(limits.BODY_TIMEOUT_MS, limits.HEADERS_TIMEOUT_MS) + BODY_TIMEOUT_MARGIN_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    },
    (incoming, outgoing) => {
      cutOffStalledReader(outgoing, limits.BODY_TIMEOUT_MS);
      outgoing.once('finish', () => {
        linger(incoming);
        // A stream that began before the end was near has promised to keep its connection; Node would wait for it.
        if (closing && incoming.complete) incoming.socket.destroySoon();
      });
      return listener(incoming, outgoing);
    },
  );
  server.on('clientError', (_error, socket) => refuseMalformed(socket as Socket));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, address)));
    server.listen(address.port, address.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      closing = true;
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Ends a connection whose caller takes nothing of an answer that waits for it: its memory would be held for ever. */
function cutOffStalledReader(outgoing: ServerResponse, limit: number): void {
  // The time begins anew whenever bytes move. It also passes while an answer is made, when nothing waits.
  outgoing.setTimeout(limit, () => {
    if (outgoing.writableLength > 0) outgoing.destroy();
  });
}

/**
 * Reads on after a request was answered before its body had arrived. Closing with unread bytes would reset the
 * connection, and the caller might lose the answer; read to its end, the connection stays usable.
 */
function linger(incoming: IncomingMessage): void {
  if (incoming.complete || incoming.destroyed) return;
  const { socket } = incoming;
  const timer = setTimeout(() => socket.destroySoon(), LINGER_MS);
  let bytes = 0;
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES) socket.destroySoon();
  });
  for (const event of ['end', 'close', 'error']) incoming.once(event, () => clearTimeout(timer));
}

function explain(error: NodeJS.ErrnoException, { host, port, setting }: Address): StartupError {
  const reasons: Record<string, string> = {
    EADDRINUSE: `${setting} is ${port}; it is in use already. Accepted is a free port.`,
    EACCES: `${setting} is ${port}; this user may not listen on it. Accepted is one from 1024 on.`,
    EADDRNOTAVAIL: `HOST is "${host}"; this machine has no such address.`,
    ENOTFOUND: `HOST is "${host}"; no such host is known.`,
  };
  return new StartupError(reasons[error.code ?? ''] ?? `Cannot listen on ${host}:${port}: ${error.message}.`);
}

/** What never reaches the application gets the same shape of answer. */
function malformed(): { body: string; headers: Record<string, string> } {
  const requestId = randomUUID();
  const error = new ServiceError('INVALID_REQUEST', {
    detail: 'The HTTP message is malformed or came too slowly.',
  });
  return {
    body: JSON.stringify(errorBody(error, requestId)),
    headers: {
      ...SECURITY_HEADERS,
      'Content-Type': 'application/json',
      'X-Request-Id': requestId,
      Connection: 'close',
    },
  };
}

function malformedResponse(): Response {
  const { body, headers } = malformed();
  return new Response(body, { status: 400, headers });
}

/** For what Node's parser refuses: there is nothing but a socket to answer on. */
function refuseMalformed(socket: Socket): void {
  if (!socket.writable) return;
  // An answer may be on its way already, to this request or an earlier one; another in between would garble it.
  if (socket.bytesWritten > 0) {
    socket.destroySoon();
    return;
  }
  const { body, headers } = malformed();
  const lines = Object.entries({ ...headers, 'Content-Length': Buffer.byteLength(body) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 400 Bad Request\r\n${head}\r\n${body}`);
}
