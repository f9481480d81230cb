import type { IncomingMessage } from 'node:http';

/** A source that sends less than this within the time limit counts as stalled: 0.5 kB/s, where a modem reaches 5. */
const MIN_PROGRESS_BYTES = 16_384;

/**
 * The chunks of a body. Only time in which the source is waited for counts, so a slow disk is not its fault.
 *
 * @param limitMs maximum time in which less than {@link MIN_PROGRESS_BYTES} arrive.
 * @throws when the body breaks off or stalls.
 */
export async function* readBody(body: IncomingMessage, limitMs: number): AsyncGenerator<Buffer> {
  const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  let waitedMs = 0;
  let bytes = 0;
  for (;;) {
    const since = performance.now();
    const stalled = () =>
      body.destroy(new Error(`less than ${MIN_PROGRESS_BYTES} bytes in ${limitMs / 1000} s`));
    const timer = setTimeout(stalled, limitMs - waitedMs);
    const next = await chunks.next().finally(() => clearTimeout(timer));
    if (next.done) return;
    waitedMs += performance.now() - since;
    bytes += next.value.length;
    if (bytes >= MIN_PROGRESS_BYTES) {
      waitedMs = 0;
      bytes = 0;
    }
    yield next.value;
  }
}
