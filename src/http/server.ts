import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { connectionLimit } from '../config/open-files.ts';
import type { Config } from '../config/settings.ts';
import { ServiceError } from '../errors.ts';
import { type Address, explainListenError } from './address.ts';
import { errorBody } from './error-answers.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** How often Node checks connections for timeouts, in milliseconds: the precision of the time limits. */
const TIMEOUT_CHECK_MS = 1_000;
/** The application answers a slow body itself; Node's own limit is for bodies that it does not read. */
const BODY_TIMEOUT_MARGIN_MS = 5_000;
/** After an answer, the rest of an unread body is read and discarded, for at most this long and this many bytes. */
const LINGER_MS = 3_000;
const LINGER_BYTES = 64 * 1024 * 1024;

type Limits = Pick<Config, 'HEADERS_TIMEOUT_MS' | 'BODY_TIMEOUT_MS' | 'KEEP_ALIVE_TIMEOUT_MS' | 'WORKERS'>;

export interface ListeningServer {
  /** The port it listens on: a free one if 0 was asked for. */
  port: number;
  /** Stops accepting connections; settles when every request has been answered. */
  close: () => Promise<void>;
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
    // Only a request without a usable URL or Host fails outside the application.
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
      disconnectStalledReader(outgoing, limits.BODY_TIMEOUT_MS);
      outgoing.once('finish', () => {
        linger(incoming);
        // The headers of a stream that began before the shutdown promise to keep the connection alive, and Node waits for it.
        if (closing && incoming.complete) incoming.socket.destroySoon();
      });
      return listener(incoming, outgoing);
    },
  );
  server.on('clientError', (_error, socket) => refuseMalformed(socket as Socket));
  server.maxConnections = connectionLimit(limits);
  await new Promise<void>((resolve, reject) => {
    // Later, an error means that the system could not accept a connection, which costs that connection only.
    server.on('error', (error: NodeJS.ErrnoException) => reject(explainListenError(error, address)));
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

/** Disconnects a client that stops reading its answer, since the answer is held in memory until it is read. */
function disconnectStalledReader(outgoing: ServerResponse, limit: number): void {
  // The timer restarts whenever bytes move. It also runs while the answer is computed, when no bytes wait.
  outgoing.setTimeout(limit, () => {
    if (outgoing.writableLength > 0) outgoing.destroy();
  });
}

/**
 * Keeps reading the body of a request that was answered before the body had arrived. Closing a connection with unread bytes resets
 * it, and the caller may lose the answer. If the body ends in time, the connection stays usable.
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

/** The answer to a message that does not reach the application, in the shape of all errors. */
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

/** Answers what Node's parser refuses, for which there is only a socket. */
function refuseMalformed(socket: Socket): void {
  if (!socket.writable) return;
  // An answer to this request or an earlier one may be partly written; another one would corrupt it.
  if (socket.bytesWritten > 0) {
    socket.destroySoon();
    return;
  }
  const { body, headers } = malformed();
  const lines = Object.entries({ ...headers, 'Content-Length': Buffer.byteLength(body) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 400 Bad Request\r\n${head}\r\n${body}`);
}
