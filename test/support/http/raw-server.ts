import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A request as far as a file server needs it. */
export interface RawRequest {
  path: string;
  /** First byte of the requested range; 0 without a range. */
  start: number;
}

export type RawAnswer = (socket: Socket, request: RawRequest, index: number) => void;

/**
 * A server on 127.0.0.1 that writes the bytes of its answers itself, until the current test ends. `answer` is called with each
 * request and the number of requests before it.
 */
export async function startRawServer(answer: RawAnswer): Promise<{ url: string; requests: RawRequest[] }> {
  const requests: RawRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    // A client that gives up resets the connection.
    socket.on('error', () => {});
    let head = '';
    socket.on('data', (bytes) => {
      head += bytes.toString('latin1');
      if (!head.endsWith('\r\n\r\n')) return;
      const [, start = '0'] = /^range: bytes=(\d+)-/im.exec(head) ?? [];
      const request = { path: head.split(' ')[1] ?? '', start: Number(start) };
      head = '';
      requests.push(request);
      answer(socket, request, requests.length - 1);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** Writes the same bytes as fast as the client reads them, until it closes the connection. */
export function writeForever(socket: Socket, bytes: Uint8Array | string): void {
  const write = () => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.on('drain', () => setImmediate(write));
  write();
}
