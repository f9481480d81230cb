import type { MessagePort } from 'node:worker_threads';
import type { FarEvidence } from '../similarity/far-evidence.ts';
import { type ForwardedBytes, gatherBytes } from '../threads/forwarded-bytes.ts';
import { freeBytes } from '../threads/garbage.ts';
import type { JobOutcome } from '../threads/job-port.ts';
import type { PictureNotes } from './compare-answer.ts';
import type { CompareResult, RankResult, StoredComparison } from './compare-job.ts';
import type { CompareLimits } from './compare-request.ts';
import { type EmbedBody, type EmbedBodyLimits, readEmbedBody } from './embed-body.ts';

/**
 * Work on a JSON body or its content, which takes longer the larger it is. It runs on the calling thread. `given` are valid
 * options from outside the body, which must not be repeated in it.
 */
export type JsonJob =
  | { kind: 'embed'; body: JobBody; limits: EmbedBodyLimits }
  | ({ kind: 'compare'; body: JobBody; given?: object; limits: CompareLimits } & AnswerOptions)
  | ({ kind: 'rank'; comparison: StoredComparison; notes: PictureNotes } & AnswerOptions);

interface AnswerOptions {
  maxAnswerBytes: number;
  /**
   * Some kilobytes, which go with each job: the thread may start before the model is loaded. Undefined while none is.
   */
  evidence?: FarEvidence | undefined;
}

type JobBody = Uint8Array<ArrayBuffer> | ForwardedBytes;

export interface JsonResults {
  embed: EmbedBody;
  compare: CompareResult;
  rank: RankResult;
}

export type JsonResult = JsonResults[JsonJob['kind']];

/**
 * @param job its body is freed afterwards: garbage of tens of megabytes would wait for a collection of the whole heap.
 * @throws {ServiceError} what is wrong with the body.
 */
export async function runJsonJob(job: JsonJob): Promise<JobOutcome<JsonResult>> {
  if (job.kind === 'rank') return (await runJob(job, false)) as JobOutcome<JsonResult>;
  const body = gatherBytes(job.body);
  try {
    return (await runJob({ ...job, body }, false)) as JobOutcome<JsonResult>;
  } finally {
    freeBytes(body);
  }
}

/** Reading this many bytes takes less than a millisecond, and less than handing them to another thread. */
const MAX_LIGHT_BYTES = 64 * 1024;

/**
 * Runs a job that is light enough for the main thread.
 *
 * @returns undefined for a heavy one, which is as it was before.
 * @throws {ServiceError} what is wrong with the body.
 */
export async function runIfLight(job: JsonJob): Promise<JobOutcome<JsonResult> | undefined> {
  return byteLengthOf(job) <= MAX_LIGHT_BYTES ? runJob(job, true) : undefined;
}

/** @returns undefined only if `lightOnly`. */
async function runJob(job: JsonJob, lightOnly: boolean): Promise<JobOutcome<JsonResult> | undefined> {
  if (job.kind === 'embed') return readEmbed(gatherBytes(job.body), job.limits);
  // With the first comparison: it takes the library of the schemas, 15 MB that embedding does without.
  const { compare, isHeavy, rank } = await import('./compare-job.ts');
  const { maxAnswerBytes, evidence } = job;
  if (job.kind === 'compare') {
    return compare(gatherBytes(job.body), job.limits, {
      given: job.given,
      maxAnswerBytes,
      lightOnly,
      evidence,
    });
  }
  const { queries, referenceIds, references } = job.comparison;
  if (lightOnly && isHeavy(queries.count, referenceIds, references.count)) return undefined;
  return rank(job.comparison, job.notes, maxAnswerBytes, evidence);
}

function readEmbed(bytes: Uint8Array<ArrayBuffer>, limits: EmbedBodyLimits): JobOutcome<EmbedBody> {
  const result = readEmbedBody(bytes, limits);
  // Each image was decoded into a buffer of its own.
  const transfer = result.images.flatMap((image) => (image instanceof Uint8Array ? [image.buffer] : []));
  return { result, transfer };
}

/** The bytes that a job reads: a measure of how long it takes. */
export function byteLengthOf(job: JsonJob): number {
  if (job.kind === 'rank')
    return vectorsOf(job.comparison).reduce((sum, { byteLength }) => sum + byteLength, 0);
  return job.body.length;
}

/** The buffers and ports that are transferred with a job to another thread. */
export function transferListOf(job: JsonJob): (ArrayBuffer | MessagePort)[] {
  if (job.kind === 'rank') return vectorsOf(job.comparison);
  return [job.body instanceof Uint8Array ? job.body.buffer : job.body.port];
}

export function vectorsOf({ queries, references }: StoredComparison): ArrayBuffer[] {
  return [queries.values.buffer, references.values.buffer];
}
