import type { Context } from 'hono';
import { tooManyBytes } from '../body/held-bytes.ts';
import type { AppEnvironment } from '../context.ts';

/** Small enough that writing one chunk delays no other request. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Answers with JSON.
 *
 * @throws {ServiceError} OVERLOADED when the answer does not fit into the budget.
 */
export function answerJson(c: Context<AppEnvironment>, text: string | Uint8Array<ArrayBuffer>): Response {
  const length = typeof text === 'string' ? Buffer.byteLength(text) : text.length;
  if (!c.get('answer').tryAdd(length)) throw tooManyBytes();
  return answerCountedJson(c, [text], length);
}

/** Answers with JSON in several parts, which have been added to the answer's bytes. */
export function answerCountedJson(
  c: Context<AppEnvironment>,
  parts: readonly (string | Uint8Array<ArrayBuffer>)[],
  length: number,
): Response {
  const [first = ''] = parts;
  const body = parts.length === 1 && length <= CHUNK_BYTES ? first : streamOf(parts);
  return c.body(body, 200, { 'Content-Type': 'application/json', 'Content-Length': String(length) });
}

/**
 * A stream of chunks. A Response copies the bytes that it is made of, and again when a header is added, which for tens of
 * megabytes would block the event loop; and a text would be turned into bytes as a whole.
 */
function streamOf(parts: readonly (string | Uint8Array<ArrayBuffer>)[]): ReadableStream<Uint8Array> {
  const chunks = chunksOf(parts);
  return new ReadableStream(
    {
      pull(controller) {
        const { done, value } = chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
}

function* chunksOf(parts: readonly (string | Uint8Array<ArrayBuffer>)[]): Generator<Uint8Array> {
  let small: Uint8Array[] = [];
  let bytes = 0;
  for (const part of parts) {
    const whole = typeof part === 'string' ? Buffer.from(part) : part;
    for (let start = 0; start < whole.length; start += CHUNK_BYTES) {
      const chunk = whole.subarray(start, start + CHUNK_BYTES);
      small.push(chunk);
      bytes += chunk.length;
      if (bytes < CHUNK_BYTES) continue;
      yield small.length === 1 ? chunk : Buffer.concat(small);
      small = [];
      bytes = 0;
    }
  }
  if (bytes > 0) yield Buffer.concat(small);
}
