import type { Context } from 'hono';
import { imagesAtOnce } from '../../config/concurrency.ts';
import type { Config } from '../../config/settings.ts';
import { embedImages, type ImageOutcome } from '../../engine/embed-images.ts';
import type { Admission, LoadedModel } from '../../engine/engine.ts';
import { answerJson } from '../../http/answer/answer-json.ts';
import { prefersLines } from '../../http/answer/ndjson.ts';
import type { AppEnvironment, Handler } from '../../http/context.ts';
import type { RequestOptions } from '../../json/embed-options.ts';
import { agreementOf } from '../../similarity/agreement.ts';
import type { EmbedOptions } from '../../vision/pipeline.ts';
import type { Api } from '../api.ts';
import { evidenceOf } from '../compare/evidence.ts';
import { assertLivenessPossible, toLivenessOptions } from '../liveness-options.ts';
import { queryOf } from '../query.ts';
import { recordImage } from '../record-image.ts';
import { toSearchOptions } from '../search-options.ts';
import { describeImage, describeModel } from './answer.ts';
import { type Answering, answerBatch, answerBatchInLines } from './batch.ts';
import { Fusing } from './fuse.ts';
import { embedFormRoute, embedImageRoute, embedLinesRoute, embedRoute } from './operations.ts';
import { describeRefusal } from './refusal.ts';
import { type EmbedRequest, readEmbedRequest } from './request.ts';

/** Adds the operation, at a path for each kind of body and of answer. */
export function addEmbedRoutes(api: Api): void {
  const { add } = api;
  const json = embedHandler(api, prefersLines);
  for (const route of [embedRoute, embedFormRoute, embedImageRoute])
    add(route, 'callers', json, embedRoute.path);
  add(
    embedLinesRoute,
    'callers',
    embedHandler(api, () => true),
    embedRoute.path,
  );
}

/** @param wantsLines whether the answer is lines. */
function embedHandler(api: Api, wantsLines: (c: Context<AppEnvironment>) => boolean): Handler {
  const { config } = api;
  return async (c) => {
    const { request, admission } = await receive(c, api);
    const { images, batch, options } = request;
    const record = c.get('record');
    const embedAll: Answering['embedAll'] = async (report, signal) => {
      try {
        await embedImages(admission, images, {
          options: embedOptions(options, config, admission.model),
          atOnce: imagesAtOnce(config),
          signal,
          onOutcome: (outcome) => recordImage(record, report(describeRefusal(outcome))),
        });
      } finally {
        // An answer that is still being sent must not hold a place, nor the body of its request.
        admission.release();
        c.get('body').release();
      }
    };
    const { model } = admission;
    const fusing = options.fuse ? new Fusing(agreementOf(evidenceOf(model)), options) : undefined;
    const answering: Answering = { embedAll, options, fusing, model: describeModel(model), log: api.log };
    if (wantsLines(c)) return answerBatchInLines(c, answering);
    return batch ? answerBatch(c, answering) : answerOne(c, answering);
  };
}

/**
 * Reads the request and takes places for its images, as many as they would take as single requests. A service without a place
 * refuses before it reads the body, but a place is taken when the body is there: a slow upload must not keep others waiting.
 */
async function receive(
  c: Context<AppEnvironment>,
  { config, engine, json, rates }: Api,
): Promise<{ request: EmbedRequest; admission: Admission }> {
  const { tenant } = c.get('record');
  const arrived = engine.letIn(tenant);
  const context = { limits: config, json, signal: c.req.raw.signal, tenant };
  const request = await readEmbedRequest(c.get('body'), queryOf(c), context).finally(arrived);
  assertLivenessPossible(request.options, config, engine.model);
  const admission = engine.admit(request.images.length, tenant);
  rates.charge(tenant, request.images.length - 1);
  return { request, admission };
}

function embedOptions(options: RequestOptions, config: Config, model: LoadedModel): EmbedOptions {
  return {
    ...toSearchOptions(options, config),
    maxFaces: config.MAX_FACES,
    // What a picture of a template counts follows from its quality.
    quality: options.quality || options.fuse,
    minQuality: options.min_quality,
    minFaceSize: options.min_face_size,
    returnFace: options.return_face,
    liveness: toLivenessOptions(options, config, model),
    faceFormat: options.face_format,
    aligned: options.aligned,
  };
}

async function answerOne(
  c: Context<AppEnvironment>,
  { embedAll, options, model }: Answering,
): Promise<Response> {
  const outcomes: ImageOutcome[] = [];
  await embedAll((outcome) => {
    outcomes.push(outcome);
    return outcome;
  }, c.req.raw.signal);
  const [outcome] = outcomes as [ImageOutcome];
  if ('error' in outcome) throw outcome.error;
  return answerJson(c, JSON.stringify({ ...describeImage(outcome.answer, options), model }));
}
