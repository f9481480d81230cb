import type { Context } from 'hono';
import type { ImageOutcome } from '../../engine/embed-images.ts';
import type { ServiceError } from '../../errors.ts';
import { answerCountedJson } from '../../http/answer/answer-json.ts';
import { answerWithLines } from '../../http/answer/ndjson.ts';
import { tooManyBytes } from '../../http/body/held-bytes.ts';
import type { AppEnvironment } from '../../http/context.ts';
import { errorBody, logUnforeseen } from '../../http/error-answers.ts';
import type { RequestOptions } from '../../json/embed-options.ts';
import type { Logger } from '../../observability/log.ts';
import { describeImage, type describeModel } from './answer.ts';
import { type Fusing, withoutQuality } from './fuse.ts';

/** What the answer to an embed request is made from. */
export interface Answering {
  /**
   * Embeds the images and reports the outcome of each, in the order in which they finish.
   *
   * @param report returns the outcome that is answered, which is an error when there is no room for the answer.
   */
  embedAll: (report: (outcome: ImageOutcome) => ImageOutcome, signal: AbortSignal) => Promise<void>;
  options: RequestOptions;
  /** With the option `fuse`. */
  fusing?: Fusing | undefined;
  model: ReturnType<typeof describeModel>;
  log: Logger;
}

/** One JSON answer with all results, in request order. */
export async function answerBatch(c: Context<AppEnvironment>, answering: Answering): Promise<Response> {
  const results: string[] = [];
  const answer = c.get('answer');
  let length = 0;
  await answering.embedAll((outcome) => {
    let given = outcome;
    let text = resultText(given, answering, c);
    // Texts of results are held until all are there, as its answer is until it has been read.
    if (!answer.tryAdd(Buffer.byteLength(text))) {
      given = withoutRoom(outcome);
      text = resultText(given, answering, c);
    }
    results[outcome.index] = text;
    length += Buffer.byteLength(text);
    answering.fusing?.add(given);
    return given;
  }, c.req.raw.signal);
  let template = templateText(answering, c);
  if (!answer.tryAdd(Buffer.byteLength(template))) template = templateText(answering, c, tooManyBytes());
  // In parts that were written one by one: serialising a whole batch at once would block the event loop.
  const ends = ['{"results":[', `],${template}"model":${JSON.stringify(answering.model)}}`] as const;
  const parts = results.flatMap((text, index) => (index === 0 ? [text] : [',', text]));
  length += results.length - 1 + Buffer.byteLength(ends.join(''));
  return answerCountedJson(c, [ends[0], ...parts, ends[1]], length);
}

/** A line for each result as soon as it is ready, and a last line that tells a complete answer from one that was cut off. */
export function answerBatchInLines(c: Context<AppEnvironment>, answering: Answering): Response {
  return answerWithLines(c, answering.log, async (lines, signal) => {
    await answering.embedAll((outcome) => {
      if (lines.tryWrite(resultText(outcome, answering, c))) {
        answering.fusing?.add(outcome);
        return outcome;
      }
      const refused = withoutRoom(outcome);
      lines.write(resultText(refused, answering, c));
      return refused;
    }, signal);
    const endWith = (template: string) =>
      `{"done":true,${template}"model":${JSON.stringify(answering.model)}}`;
    const { fusing } = answering;
    if (fusing && lines.tryWrite(endWith(templateText(answering, c)))) return;
    lines.write(endWith(fusing ? templateText(answering, c, tooManyBytes()) : ''));
  });
}

/** The member `template` of an answer, with a comma; empty without the option. @param error in place of the template. */
function templateText({ fusing }: Answering, c: Context<AppEnvironment>, error?: ServiceError): string {
  if (fusing === undefined) return '';
  const { requestId } = c.get('record');
  return `"template":${JSON.stringify(error ? errorBody(error, requestId) : fusing.describe(requestId))},`;
}

/** What is answered in place of a result that does not fit into the budget of all bytes. */
function withoutRoom({ index }: ImageOutcome): ImageOutcome {
  return { index, error: tooManyBytes() };
}

/** One result as JSON. */
function resultText(outcome: ImageOutcome, { options, log }: Answering, c: Context<AppEnvironment>): string {
  const { index } = outcome;
  if ('answer' in outcome) {
    const answer = options.fuse && !options.quality ? withoutQuality(outcome.answer) : outcome.answer;
    return JSON.stringify({ index, ...describeImage(answer, options) });
  }
  const { requestId } = c.get('record');
  logUnforeseen(outcome.error, log, requestId);
  return JSON.stringify({ index, ...errorBody(outcome.error, requestId) });
}
