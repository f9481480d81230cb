import type { Context } from 'hono';
import { accepts } from 'hono/accepts';
import { ServiceError } from '../../errors.ts';
import type { Logger } from '../../observability/log.ts';
import { ClientDisconnected } from '../body/body-source.ts';
import type { AppEnvironment } from '../context.ts';
import { logUnforeseen } from '../error-answers.ts';

/** Newline-delimited JSON: one value a line. */
export const NDJSON = 'application/x-ndjson';

/** Lines are handed over in chunks of about this size, so that one reader delays no other request. */
const CHUNK_BYTES = 256 * 1024;

/** Whether the caller prefers a line for each result as it becomes ready to one JSON answer at the end. */
export function prefersLines(c: Context<AppEnvironment>): boolean {
  const json = 'application/json';
  return accepts(c, { header: 'Accept', supports: [json, NDJSON], default: json }) === NDJSON;
}

export interface LineWriter {
  /** @returns false when the line does not fit into the budget of all answers; it is not written then. */
  tryWrite(line: string): boolean;
  /** Writes a short line in any case. */
  write(line: string): void;
}

/** Writes lines, each a JSON text, and settles after the last. The signal aborts when the caller disconnects. */
export type WriteLines = (writer: LineWriter, signal: AbortSignal) => Promise<void>;

/**
 * Answers with lines, each sent as soon as it is written.
 *
 * A slow reader does not slow the writer down: lines wait here until they are read, and count as bytes of the answer. So the
 * engine's places are released when the work is done, not when its answer has been read. The server disconnects a client
 * that stops reading.
 */
export function answerWithLines(c: Context<AppEnvironment>, log: Logger, writeLines: WriteLines): Response {
  const record = c.get('record');
  const answer = c.get('answer');
  const gone = new AbortController();
  const signal = AbortSignal.any([c.req.raw.signal, gone.signal]);
  const waiting: { bytes: Buffer; counted: number }[] = [];
  let finished = false;
  let wake = () => {};

  const add = (line: string, isCounted: boolean) => {
    if (signal.aborted) return true;
    const bytes = Buffer.from(`${line}\n`);
    if (isCounted && !answer.tryAdd(bytes.length)) return false;
    waiting.push({ bytes, counted: isCounted ? bytes.length : 0 });
    wake();
    return true;
  };
  const writer = {
    tryWrite: (line: string) => add(line, true),
    write: (line: string) => void add(line, false),
  };
  const written = writeLines(writer, signal)
    .catch((error) => {
      if (signal.aborted && error === signal.reason) return;
      // The status has been sent; the missing last line tells the caller.
      record.errorCode = 'PROCESSING_ERROR';
      logUnforeseen(new ServiceError('PROCESSING_ERROR', { cause: error }), log, record.requestId);
    })
    .finally(() => {
      finished = true;
      wake();
    });
  let end = () => {};
  const taken = new Promise<void>((resolve) => {
    end = resolve;
  });
  c.set(
    'streamed',
    Promise.all([written, taken]).then(() => {}),
  );
  let leaving = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // The reader asks for more when the chunk before has left.
        answer.remove(leaving);
        leaving = 0;
        while (waiting.length === 0 && !finished) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const chunk: Buffer[] = [];
        for (let length = 0; length < CHUNK_BYTES && waiting.length > 0; ) {
          const { bytes, counted } = waiting.shift() as (typeof waiting)[number];
          chunk.push(bytes);
          length += bytes.length;
          leaving += counted;
        }
        if (chunk.length > 0) {
          controller.enqueue(Buffer.concat(chunk));
        } else {
          controller.close();
          end();
        }
      },
      cancel() {
        record.rejection = 'client_gone';
        waiting.length = 0;
        gone.abort(new ClientDisconnected('The caller hung up while it was answered.'));
        end();
      },
    },
    // Nothing is buffered ahead of the reader, so that the end of the stream is the end of its delivery.
    { highWaterMark: 0 },
  );
  // Otherwise nginx buffers the lines.
  return c.body(stream, 200, { 'Content-Type': NDJSON, 'X-Accel-Buffering': 'no' });
}
