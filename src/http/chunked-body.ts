/** Small enough that writing one chunk delays no other request. */
const CHUNK_BYTES = 256 * 1024;

/**
 * The body of an answer: a stream of chunks when it is large. A Response copies the bytes that it is made of, and again when a
 * header is added, which for tens of megabytes would block the event loop.
 */
export function chunkedBody(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | ReadableStream {
  if (bytes.length <= CHUNK_BYTES) return bytes;
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.subarray(sent, sent + CHUNK_BYTES));
      sent += CHUNK_BYTES;
      if (sent >= bytes.length) controller.close();
    },
  });
}
