import type { Socket } from 'node:net';

/** How long, and how many bytes, at most. */
const LINGER_MS = 3_000;
const LINGER_BYTES = 64 * 1024 * 1024;

/**
 * Counts what a client still sends after its answer, and destroys the connection at a limit. It has to be read: closing a
 * connection with unread bytes resets it, and the client may lose the answer.
 *
 * Bytes are counted at the socket, since Node drops those of a body that no longer interests anyone before any listener.
 *
 * @returns ends the counting.
 */
export function discardRest(socket: Socket): () => void {
  let bytes = 0;
  const count = (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES) socket.destroy();
  };
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  // Not at once: Node may be about to resume a connection that it had paused, which it forgets when there is a listener.
  const start = setImmediate(() => socket.on('data', count));
  const stop = () => {
    clearTimeout(timer);
    clearImmediate(start);
    socket.off('data', count).off('close', stop);
  };
  socket.once('close', stop);
  return stop;
}
