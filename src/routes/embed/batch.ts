import type { Context } from 'hono';
import type { ImageOutcome } from '../../engine/embed-images.ts';
import { errorBody, logUnforeseen } from '../../http/error-answers.ts';
import { answerWithLines } from '../../http/ndjson.ts';
import type { AppEnvironment } from '../../http/routes.ts';
import type { Logger } from '../../observability/log.ts';
import { describeImage, type describeModel } from './answer.ts';
import type { RequestOptions } from './request.ts';

/** What it takes to answer an embed request. */
export interface Answering {
  /** Embeds the images and tells what became of each, in the order in which they are done. */
  embedAll: (tell: (outcome: ImageOutcome) => void, signal: AbortSignal) => Promise<void>;
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
  // Put together from texts, as to write down a whole batch at once would keep every other request waiting.
  const text = `{"results":[${results.join(',')}],"model":${JSON.stringify(answering.model)}}`;
  return c.body(text, 200, { 'Content-Type': 'application/json' });
}

/** A line for each result as soon as it is there, and a last one by which a whole answer is told from one cut short. */
export function answerBatchInLines(c: Context<AppEnvironment>, answering: Answering): Response {
  return answerWithLines(c, answering.log, async (write, signal) => {
    await answering.embedAll((outcome) => write(resultText(outcome, answering, c)), signal);
    write(JSON.stringify({ done: true, model: answering.model }));
  });
}

/** One result as JSON, written when it is ready. */
function resultText(outcome: ImageOutcome, { options, log }: Answering, c: Context<AppEnvironment>): string {
  const { index } = outcome;
  if ('answer' in outcome) return JSON.stringify({ index, ...describeImage(outcome.answer, options) });
  const { requestId } = c.get('record');
  logUnforeseen(outcome.error, log, requestId);
  return JSON.stringify({ index, ...errorBody(outcome.error, requestId) });
}
