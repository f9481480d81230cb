/** Bytes of one piece: little enough that nobody waits for it. */
const PIECE = 256 * 1024;

/**
 * The body of an answer that may be large, as a stream of pieces. A Response copies the bytes it is made of, and again
 * when a header is added to it, which for tens of megabytes would hold up every other request.
 */
export function inPieces(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | ReadableStream {
  if (bytes.length <= PIECE) return bytes;
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.subarray(sent, sent + PIECE));
      sent += PIECE;
      if (sent >= bytes.length) controller.close();
    },
  });
}
