import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { errorBody } from './api/failures.ts';
import type { createApp } from './app.ts';
import type { Config } from './config.ts';
import { ServiceError, StartupError } from './errors.ts';

/** Longer than the 60 s after which the usual load balancers drop an idle connection: they must be first, or get 502s. */
const KEEP_ALIVE_MS = 75_000;
const HEADERS_TIMEOUT_MS = 20_000;
const BODY_TIMEOUT_MS = 120_000;

export interface ListeningServer {
  /** The port it got, which is another than asked for when that was 0. */
  port: number;
  /** Accepts no connection any more; settles when every request has been answered. */
  close: () => Promise<void>;
}

/**
 * Listens for the application.
 *
 * @throws {StartupError} when the address cannot be listened on.
 */
export async function listen(
  app: ReturnType<typeof createApp>,
  { HOST, PORT }: Pick<Config, 'HOST' | 'PORT'>,
): Promise<ListeningServer> {
  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: BODY_TIMEOUT_MS,
    },
    // Only a request that is no URL, or has no usable Host, fails outside the application.
    getRequestListener(app.fetch, { errorHandler: () => malformedResponse() }),
  );
  server.on('clientError', (_error, socket) => refuseMalformed(socket as Socket));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, HOST, PORT)));
    server.listen(PORT, HOST, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): StartupError {
  const reasons: Record<string, string> = {
    EADDRINUSE: `PORT is ${port}; it is in use already. Accepted is a free port.`,
    EACCES: `PORT is ${port}; this user may not listen on it. Accepted is one from 1024 on.`,
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
    headers: { 'Content-Type': 'application/json', 'X-Request-Id': requestId, Connection: 'close' },
  };
}

function malformedResponse(): Response {
  const { body, headers } = malformed();
  return new Response(body, { status: 400, headers });
}

/** For what Node's parser refuses: there is nothing but a socket to answer on. */
function refuseMalformed(socket: Socket): void {
  if (!socket.writable) return;
  const { body, headers } = malformed();
  const lines = Object.entries({ ...headers, 'Content-Length': Buffer.byteLength(body) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 400 Bad Request\r\n${head}\r\n${body}`);
}
