import { ServiceError } from '../../errors.ts';
import { answerJson } from '../../http/answer/answer-json.ts';
import type { Handler } from '../../http/context.ts';
import { openPending } from '../../json/compare-job.ts';
import { validate } from '../../json/validate.ts';
import { recordStages } from '../../observability/request-record.ts';
import type { Api } from '../api.ts';
import { queryOf } from '../query.ts';
import { evidenceOf } from './evidence.ts';
import { readCompareForm } from './form.ts';
import { compareFormRoute, compareRoute } from './operations.ts';
import { embedPictures } from './pictures.ts';
import { compareQuerySchema } from './query-options.ts';

/** Adds the operation, at a path for each kind of body. */
export function addCompareRoutes(api: Api): void {
  const { add, config, engine, json } = api;
  const limits = {
    references: config.MAX_REFERENCES,
    comparisons: config.MAX_COMPARISONS,
    pictures: config.MAX_BATCH_SIZE,
    imageBytes: config.MAX_IMAGE_SIZE,
  };
  const maxAnswerBytes = config.MAX_REQUEST_SIZE;
  const handler: Handler = async (c) => {
    const incoming = c.get('body');
    const isForm = incoming.mediaType === 'multipart/form-data';
    if (!isForm && incoming.mediaType !== 'application/json') {
      throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', {
        detail: 'Accepted are application/json and multipart/form-data.',
      });
    }
    const query = queryOf(c);
    const given = validate(compareQuerySchema, query);
    const record = c.get('record');
    const { signal } = c.req.raw;
    const answer = (text: Uint8Array<ArrayBuffer>) => {
      // It has been read, and its place in the budget is for the answer.
      incoming.release();
      return answerJson(c, text);
    };
    const read = async () => {
      if (isForm) {
        // As for a form of /v1/embed: without a place for its pictures, it is refused before it is read.
        const arrived = engine.letIn(record.tenant);
        const request = await readCompareForm(incoming, query, config).finally(arrived);
        return { pending: openPending(request, evidenceOf(engine.model)) };
      }
      const body = await incoming.forward({ bytes: config.MAX_REQUEST_SIZE, code: 'REQUEST_TOO_LARGE' });
      const evidence = evidenceOf(engine.model);
      const job = { kind: 'compare', body, given, limits, maxAnswerBytes, evidence } as const;
      const { waited, result } = await json.run(job, signal, record.tenant);
      recordStages(record, { queue: waited, compare: result.ms });
      return result;
    };

    const result = await read().catch((error) => {
      // A rate was asked for before a model was loaded: the engine says whether to come back.
      if (error instanceof ServiceError && error.code === 'MODEL_NOT_LOADED') engine.letIn(record.tenant)();
      throw error;
    });
    if ('answer' in result) return answer(result.answer);

    const { pending } = result;
    // The vectors are held beside the body while the pictures are embedded.
    const { queries, references } = pending.comparison;
    incoming.hold(queries.values.byteLength + references.values.byteLength);
    const embedded = await embedPictures(pending, api, { record, signal });
    const ranked = await json.run(
      { kind: 'rank', ...embedded, maxAnswerBytes, evidence: evidenceOf(engine.model) },
      signal,
      record.tenant,
    );
    recordStages(record, { queue: ranked.waited, compare: ranked.result.ms });
    return answer(ranked.result.answer);
  };
  for (const route of [compareRoute, compareFormRoute]) add(route, 'callers', handler, compareRoute.path);
}
