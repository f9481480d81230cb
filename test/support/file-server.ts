import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the server does with one request. Members that are absent are the good behaviour of a real file server. */
export interface Answer {
  /** Answered without a body when there is no content. */
  status?: number;
  location?: string;
  content?: Uint8Array;
  etag?: string;
  lastModified?: string;
  /** Always sends the whole content. */
  ignoreRange?: boolean;
  /** Does not say how long the body is. */
  chunked?: boolean;
  /** Cuts the connection after so many bytes of this answer. */
  cutAfter?: number;
  /** Falls silent after so many bytes of this answer; 0 is before the headers. */
  stallAfter?: number;
  /** Pause after every 1024 bytes, in milliseconds. */
  pauseMs?: number;
}

export interface SeenRequest {
  path: string;
  headers: IncomingMessage['headers'];
}

export interface FileServer {
  /** Without a slash at the end. */
  url: string;
  /** In the order of their arrival. */
  requests: SeenRequest[];
  close: () => Promise<void>;
}

/**
 * A file server on 127.0.0.1 that can be told to misbehave.
 *
 * @param answer gets the number of requests before this one.
 * @param delivered resolves when the other side has kept the content's first bytes, so many of them: a client may
 *   drop what it has received but not yet read when the connection is cut, and a test wants to know what remains.
 */
export async function startFileServer(
  answer: (request: SeenRequest, index: number) => Answer,
  delivered: (bytes: number) => Promise<void> = async () => {},
): Promise<FileServer> {
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const seen = { path: request.url ?? '', headers: request.headers };
    requests.push(seen);
    send(response, seen, answer(seen, requests.length - 1), delivered).catch(() => response.destroy());
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
  request: SeenRequest,
  answer: Answer,
  delivered: (bytes: number) => Promise<void>,
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
    await delivered((start ?? 0) + answer.cutAfter);
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

function rangeStart({ headers }: SeenRequest, answer: Answer): number | undefined {
  const [, start] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
  if (start === undefined || answer.ignoreRange) return undefined;
  const condition = headers['if-range'];
  if (condition !== undefined && condition !== answer.etag && condition !== answer.lastModified)
    return undefined;
  return Number(start);
}
