import type { Context } from 'hono';
import { accepts } from 'hono/accepts';
import { ServiceError } from '../errors.ts';
import type { Logger } from '../observability/log.ts';
import { ClientDisconnected } from './body/request-body.ts';
import type { AppEnvironment } from './context.ts';
import { logUnforeseen } from './error-answers.ts';

/** Newline-delimited JSON: one value a line. */
export const NDJSON = 'application/x-ndjson';

/** Whether the caller prefers a line for each result as it becomes ready to one JSON answer at the end. */
export function prefersLines(c: Context<AppEnvironment>): boolean {
  const json = 'application/json';
  return accepts(c, { header: 'Accept', supports: [json, NDJSON], default: json }) === NDJSON;
}

/** Writes lines, each a JSON text, and settles after the last. The signal aborts when the caller disconnects. */
export type WriteLines = (write: (line: string) => void, signal: AbortSignal) => Promise<void>;

/**
 * Answers with lines, each sent as soon as it is written.
 *
 * A slow reader does not slow the writer down: lines wait here until they are read, which is never more than the same answer as one
 * JSON text. So the engine's places are released when the work is done, not when its answer has been read. The server
 * disconnects a client that stops reading.
 */
export function answerWithLines(c: Context<AppEnvironment>, log: Logger, writeLines: WriteLines): Response {
  const record = c.get('record');
  const gone = new AbortController();
  const signal = AbortSignal.any([c.req.raw.signal, gone.signal]);
  const encoder = new TextEncoder();
  const waiting: string[] = [];
  let finished = false;
  let wake = () => {};

  const write = (line: string) => {
    if (!signal.aborted) waiting.push(`${line}\n`);
    wake();
  };
  const written = writeLines(write, signal)
    .catch((error) => {
      if (signal.aborted) return;
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
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        while (waiting.length === 0 && !finished) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        if (waiting.length > 0) {
          controller.enqueue(encoder.encode(waiting.splice(0).join('')));
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
