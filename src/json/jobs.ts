import type { MessagePort } from 'node:worker_threads';
import { type ForwardedBytes, gatherBytes } from '../threads/forwarded-bytes.ts';
import type { JobOutcome } from '../threads/job-port.ts';
import type { PictureNotes } from './compare-answer.ts';
import type { CompareResult, RankResult, StoredComparison } from './compare-job.ts';
import type { CompareLimits } from './compare-request.ts';
import { type EmbedBody, type EmbedBodyLimits, readEmbedBody } from './embed-body.ts';

/** Work on a JSON body or its content, which takes longer the larger it is. It runs on the calling thread. */
export type JsonJob =
  | { kind: 'embed'; body: JobBody; limits: EmbedBodyLimits }
  | { kind: 'compare'; body: JobBody; limits: CompareLimits; maxAnswerBytes: number }
  | { kind: 'rank'; comparison: StoredComparison; notes: PictureNotes; maxAnswerBytes: number };

type JobBody = Uint8Array<ArrayBuffer> | ForwardedBytes;

export interface JsonResults {
  embed: EmbedBody;
  compare: CompareResult;
  rank: RankResult;
}

export type JsonResult = JsonResults[JsonJob['kind']];

/** @throws {ServiceError} what is wrong with the body. */
export async function runJsonJob(job: JsonJob): Promise<JobOutcome<JsonResult>> {
  if (job.kind === 'embed') return readEmbed(gatherBytes(job.body), job.limits);
  // Loaded with the first comparison: it needs the schema library, 15 MB that embedding does without.
  const { compare, rank } = await import('./compare-job.ts');
  if (job.kind === 'rank') return rank(job.comparison, job.notes, job.maxAnswerBytes);
  return compare(gatherBytes(job.body), job.limits, job.maxAnswerBytes);
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
