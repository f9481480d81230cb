import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How the server answers a request. Without these members it behaves like a regular file server. */
export interface Answer {
  /** Sent with an error page if there is no content. */
  status?: number;
  location?: string;
  content?: Uint8Array;
  etag?: string;
  lastModified?: string;
  /** Always sends the whole content. */
  ignoreRange?: boolean;
  /** Sends no content-length. */
  chunked?: boolean;
  /** Closes the connection after this many bytes of the answer. */
  cutAfter?: number;
  /** Stops sending after this many bytes of the answer; 0 means before the headers. */
  stallAfter?: number;
  /** Pause after every 1024 bytes, in milliseconds. */
  pauseMs?: number;
}

export interface ReceivedRequest {
  path: string;
  headers: IncomingMessage['headers'];
}

export interface FileServer {
  /** Without a trailing slash. */
  url: string;
  /** In the order received. */
  requests: ReceivedRequest[];
  close: () => Promise<void>;
}

/**
 * A file server on 127.0.0.1 that can misbehave.
 *
 * @param answer is called with the request and the number of requests before it.
 * @param waitUntilWritten resolves when the client has written this many bytes of the content to disk. The server waits
 *   for it before it closes a connection, because a client may discard received bytes that it has not read yet.
 */
export async function startFileServer(
  answer: (request: ReceivedRequest, index: number) => Answer,
  waitUntilWritten: (bytes: number) => Promise<void> = async () => {},
): Promise<FileServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    const received = { path: request.url ?? '', headers: request.headers };
    requests.push(received);
    send(response, received, answer(received, requests.length - 1), waitUntilWritten).catch(() =>
      response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, close };
}

async function send(
  response: ServerResponse,
  request: ReceivedRequest,
  answer: Answer,
  waitUntilWritten: (bytes: number) => Promise<void>,
): Promise<void> {
  if (answer.stallAfter === 0) return;
  if (answer.location !== undefined) response.setHeader('location', answer.location);
  if (answer.content === undefined) {
    response.writeHead(answer.status ?? 404).end('a page that explains');
    return;
  }
  if (answer.etag !== undefined) response.setHeader('etag', answer.etag);
  if (answer.lastModified !== undefined) response.setHeader('last-modified', answer.lastModified);
  const start = rangeStart(request, answer);
  if (start !== undefined && start >= answer.content.length) {
    response.writeHead(416, { 'content-range': `bytes */${answer.content.length}` }).end();
    return;
  }
  const { length } = answer.content;
  if (start !== undefined) response.setHeader('content-range', `bytes ${start}-${length - 1}/${length}`);
  if (!answer.chunked) response.setHeader('content-length', length - (start ?? 0));
  response.writeHead(answer.status ?? (start === undefined ? 200 : 206));
  await sendBody(response, answer.content.subarray(start ?? 0), answer);
  if (answer.cutAfter !== undefined) {
    await waitUntilWritten((start ?? 0) + answer.cutAfter);
    response.destroy();
  }
}

async function sendBody(response: ServerResponse, body: Uint8Array, answer: Answer): Promise<void> {
  const { cutAfter = body.length, stallAfter = body.length, pauseMs } = answer;
  const end = Math.min(cutAfter, stallAfter, body.length);
  const step = pauseMs === undefined ? end || 1 : 1024;
  for (let sent = 0; sent < end; sent += step) {
    if (pauseMs !== undefined) await sleep(pauseMs);
    response.write(body.subarray(sent, Math.min(sent + step, end)));
  }
  response.flushHeaders();
  if (end === body.length) response.end();
}

function rangeStart({ headers }: ReceivedRequest, answer: Answer): number | undefined {
  const [, start] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
  if (start === undefined || answer.ignoreRange) return undefined;
  const condition = headers['if-range'];
  if (condition !== undefined && condition !== answer.etag && condition !== answer.lastModified)
    return undefined;
  return Number(start);
}
