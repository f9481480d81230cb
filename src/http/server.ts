import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { connectionLimit } from '../config/open-files.ts';
import type { Config } from '../config/settings.ts';
import { ServiceError } from '../errors.ts';
import type { Logger } from '../observability/log.ts';
import { type Address, explainListenError } from './address.ts';
import { ClientDisconnected } from './body/body-source.ts';
import type { Exchange } from './connection/connection.ts';
import { Connections } from './connection/connections.ts';
import { faultOfHead } from './connection/head.ts';
import { malformed, OutsideAnswers, type OutsideObservers } from './connection/outside-answers.ts';

/** How often Node checks connections for timeouts, in milliseconds: the precision of the time limits. */
const TIMEOUT_CHECK_MS = 1_000;
/** The application answers a slow body itself; Node's own limit is for bodies that it does not read. */
const BODY_TIMEOUT_MARGIN_MS = 5_000;

interface Fetch {
  fetch: Parameters<typeof getRequestListener>[0];
}

export interface ListenOptions extends OutsideObservers {
  config: Pick<
    Config,
    'HEADERS_TIMEOUT_MS' | 'BODY_TIMEOUT_MS' | 'ANSWER_TIMEOUT_MS' | 'KEEP_ALIVE_TIMEOUT_MS' | 'WORKERS'
  >;
}

export interface ListeningServer {
  /** The port it listens on: a free one if 0 was asked for. */
  port: number;
  /**
   * Stops accepting connections, and closes those without a request; settles when every request has been answered.
   *
   * @param patience milliseconds after which clients that have not sent their request or read their answer are disconnected.
   */
  close: (patience: number) => Promise<void>;
}

/**
 * Listens for an application.
 *
 * @throws {StartupError} when the address cannot be listened on.
 */
export async function listen(
  app: Fetch,
  address: Address,
  { config, observers, log }: ListenOptions,
): Promise<ListeningServer> {
  const outside = new OutsideAnswers({ observers, log });
  const connections = new Connections(handlerOf(app, outside, config, log), config.ANSWER_TIMEOUT_MS);
  const server = createServer({
    keepAliveTimeout: config.KEEP_ALIVE_TIMEOUT_MS,
    headersTimeout: config.HEADERS_TIMEOUT_MS,
    requestTimeout: Math.max(config.BODY_TIMEOUT_MS, config.HEADERS_TIMEOUT_MS) + BODY_TIMEOUT_MARGIN_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    // Node would answer without a body.
    requireHostHeader: false,
  });
  // No header is dropped: their size is limited, and so their number.
  server.maxHeadersCount = 0;
  server.maxConnections = connectionLimit(config);
  follow(server, connections, outside, log);
  await new Promise<void>((resolve, reject) => {
    // Later, an error means that the system could not accept a connection, which costs that connection only.
    server.on('error', (error: NodeJS.ErrnoException) => reject(explainListenError(error, address)));
    server.listen(address.port, address.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: (patience) =>
      new Promise((resolve) => {
        server.close(() => {
          connections.end();
          resolve();
        });
        connections.close(patience);
      }),
  };
}

/** Hands a request to the application, unless its head already refuses it. */
function handlerOf(
  app: Fetch,
  outside: OutsideAnswers,
  { BODY_TIMEOUT_MS }: ListenOptions['config'],
  log: Logger,
): (exchange: Exchange) => void {
  const listener = getRequestListener(app.fetch, {
    errorHandler: (error) => outside.response(errorOutside(error)),
    // A request of HTTP/1.0 may come without a Host.
    hostname: 'localhost',
    autoCleanupIncoming: false,
  });
  return ({ incoming, outgoing }) => {
    const fault = faultOfHead(incoming);
    if (fault !== undefined) {
      const about = { method: incoming.method, peer: incoming.socket.remoteAddress };
      const { status, headers, body } = outside.answer(malformed(fault), about);
      outgoing.writeHead(status, headers).end(body);
      return;
    }
    disconnectStalledReader(outgoing, BODY_TIMEOUT_MS);
    listener(incoming, outgoing).catch((error) => {
      log.error({ err: error }, 'an answer could not be written');
      outgoing.destroy();
    });
  };
}

/** Leads what happens at the server to the connection that it happens to. */
function follow(server: Server, connections: Connections, outside: OutsideAnswers, log: Logger): void {
  server.on('connection', (socket) => connections.open(socket));
  // A request that expects something is one like all others; see RequestBody and `faultOfHead`.
  for (const event of ['request', 'checkContinue', 'checkExpectation']) {
    server.on(event, (incoming: IncomingMessage, outgoing: ServerResponse) =>
      connections.of(incoming.socket)?.add({ incoming, outgoing }),
    );
  }
  server.on('connect', ({ method }, socket: Socket) => {
    const error = new ServiceError('METHOD_NOT_ALLOWED', { detail: 'CONNECT is not supported.' });
    const message = () => outside.message(error, { method, peer: socket.remoteAddress });
    connections.of(socket)?.refuse(message);
  });
  // What Node's parser refuses, and connections that fail.
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    log.debug({ code: error.code }, 'a connection failed');
    const isCutOff = error.code === 'HPE_INVALID_EOF_STATE';
    const reason = isCutOff ? new ClientDisconnected('The caller hung up in the middle.') : malformed();
    const message = () => outside.message(malformed(), { peer: socket.remoteAddress });
    connections.of(socket)?.refuse(message, reason);
  });
}

/** Only a request without a usable URL or Host fails outside the application. */
function errorOutside(error: unknown): ServiceError {
  const isRequest = error instanceof Error && error.name === 'RequestError';
  return isRequest ? malformed() : new ServiceError('PROCESSING_ERROR', { cause: error });
}

/** Disconnects a client that stops reading its answer, since the answer is held in memory until it is read. */
function disconnectStalledReader(outgoing: ServerResponse, limit: number): void {
  // The timer restarts whenever bytes move. It also runs while the answer is computed, when no bytes wait.
  outgoing.setTimeout(limit, () => {
    if (outgoing.writableLength > 0) outgoing.destroy();
  });
}
