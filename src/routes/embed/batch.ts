import type { Context } from 'hono';
import type { ImageOutcome } from '../../engine/embed-images.ts';
import type { AppEnvironment } from '../../http/context.ts';
import { errorBody, logUnforeseen } from '../../http/error-answers.ts';
import { answerWithLines } from '../../http/ndjson.ts';
import type { RequestOptions } from '../../json/embed-options.ts';
import type { Logger } from '../../observability/log.ts';
import { describeImage, type describeModel } from './answer.ts';

/** What the answer to an embed request is made from. */
export interface Answering {
  /** Embeds the images and reports the outcome of each, in the order in which they finish. */
  embedAll: (onOutcome: (outcome: ImageOutcome) => void, signal: AbortSignal) => Promise<void>;
  options: RequestOptions;
  model: ReturnType<typeof describeModel>;
  log: Logger;
}

/** One JSON answer with all results, in request order. */
export async function answerBatch(c: Context<AppEnvironment>, answering: Answering): Promise<Response> {
  const results: string[] = [];
  await answering.embedAll((outcome) => {
    results[outcome.index] = resultText(outcome, answering, c);
  }, c.req.raw.signal);
  // Results are serialised one by one: serialising a whole batch at once would block the event loop.
  const text = `{"results":[${results.join(',')}],"model":${JSON.stringify(answering.model)}}`;
  return c.body(text, 200, { 'Content-Type': 'application/json' });
}

/** A line for each result as soon as it is ready, and a last line that tells a complete answer from one that was cut off. */
export function answerBatchInLines(c: Context<AppEnvironment>, answering: Answering): Response {
  return answerWithLines(c, answering.log, async (write, signal) => {
    await answering.embedAll((outcome) => write(resultText(outcome, answering, c)), signal);
    write(JSON.stringify({ done: true, model: answering.model }));
  });
}

/** One result as JSON. */
function resultText(outcome: ImageOutcome, { options, log }: Answering, c: Context<AppEnvironment>): string {
  const { index } = outcome;
  if ('answer' in outcome) return JSON.stringify({ index, ...describeImage(outcome.answer, options) });
  const { requestId } = c.get('record');
  logUnforeseen(outcome.error, log, requestId);
  return JSON.stringify({ index, ...errorBody(outcome.error, requestId) });
}
