/** Small enough that writing one chunk delays no other request. */
const CHUNK_BYTES = 256 * 1024;

/**
 * The body of an answer, as a stream of chunks if it is large. A Response copies its bytes, and copies them again when a header
 * is added, which for tens of megabytes blocks the event loop.
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
