import type { MessagePort, TransferListItem } from 'node:worker_threads';
import {
  type EmbeddingReader,
  openVectors,
  readVectors,
  type UnitVectors,
} from '../similarity/embedding-set.ts';
import { type ForwardedBody, gatherBody } from '../threads/forwarded-bytes.ts';
import { answerComparison, type PictureNotes } from './compare-answer.ts';
import {
  type CompareLimits,
  type CompareOptions,
  type OpenedCompareRequest,
  readCompareRequest,
} from './compare-request.ts';
import { type EmbedBody, type EmbedBodyLimits, readEmbedBody } from './embed-body.ts';

/** Work on JSON bodies, and on what came in them, that takes longer the larger they are. It runs on whichever thread calls it. */
export type JsonJob =
  | { kind: 'compare'; body: JobBody; limits: CompareLimits; maxAnswerBytes: number }
  | { kind: 'rank'; comparison: StoredComparison; notes: PictureNotes; maxAnswerBytes: number }
  | { kind: 'embed'; body: JobBody; limits: EmbedBodyLimits };

type JobBody = Uint8Array<ArrayBuffer> | ForwardedBody;

/** A comparison that can be moved from thread to thread. */
export interface StoredComparison {
  queryIds: readonly string[] | undefined;
  queries: UnitVectors;
  referenceIds: readonly string[];
  references: UnitVectors;
  options: CompareOptions;
}

/** One that waits for the embeddings of pictures. Their vectors are zero, or without length when no other has one. */
export interface PendingComparison extends Pick<OpenedCompareRequest, 'pictures' | 'sample' | 'space'> {
  comparison: StoredComparison;
}

/** An answer as JSON text in UTF-8, and the milliseconds its making took. */
interface TimedAnswer {
  answer: Uint8Array<ArrayBuffer>;
  ms: number;
}

export interface JsonResults {
  compare: TimedAnswer | { pending: PendingComparison; ms: number };
  rank: TimedAnswer;
  embed: EmbedBody;
}

export type JsonResult = JsonResults[JsonJob['kind']];

interface Outcome<R extends JsonResult> {
  result: R;
  /** Which of its buffers may be moved to another thread. */
  transfer: TransferListItem[];
}

/** @throws {ServiceError} what the body gives reason for. */
export async function runJsonJob(job: JsonJob): Promise<Outcome<JsonResult>> {
  switch (job.kind) {
    case 'compare':
      return compare(job);
    case 'rank':
      return rank(job);
    case 'embed': {
      const result = readEmbedBody(gatherBody(job.body), job.limits);
      // Each image was decoded into a buffer of its own.
      const transfer = result.images.flatMap((image) => (image instanceof Uint8Array ? [image.buffer] : []));
      return { result, transfer };
    }
  }
}

/** The bytes that a job is about: a measure of how long it takes. */
export function bytesOf(job: JsonJob): number {
  if (job.kind === 'rank')
    return vectorsOf(job.comparison).reduce((sum, { byteLength }) => sum + byteLength, 0);
  return job.body instanceof Uint8Array ? job.body.length : job.body.bytes;
}

/** What has to be moved for a job. */
export function movablesOf(job: JsonJob): (ArrayBuffer | MessagePort)[] {
  if (job.kind === 'rank') return vectorsOf(job.comparison);
  return [job.body instanceof Uint8Array ? job.body.buffer : job.body.port];
}

function vectorsOf({ queries, references }: StoredComparison): ArrayBuffer[] {
  return [queries.values.buffer, references.values.buffer];
}

async function compare({
  body,
  limits,
  maxAnswerBytes,
}: JsonJob & { kind: 'compare' }): Promise<Outcome<JsonResults['compare']>> {
  const started = performance.now();
  const elapsed = () => performance.now() - started;
  const request = await readCompareRequest(gatherBody(body), limits);
  if (request.pictures.length > 0) {
    const pending = storeComparison(request);
    const images = pending.pictures.flatMap(({ image }) => ('code' in image ? [] : image.buffer));
    const transfer = [...vectorsOf(pending.comparison), ...images];
    return { result: { pending, ms: elapsed() }, transfer };
  }
  const { queryIds, queries, references, sample, options } = request;
  const length = sample?.length ?? 0;
  // Without pictures there are queries.
  const vectors = readVectors(queries as EmbeddingReader, length);
  const answer = answerComparison({ queryIds, queries: vectors, references, options }, maxAnswerBytes);
  return { result: { answer, ms: elapsed() }, transfer: [answer.buffer] };
}

function rank({
  comparison,
  notes,
  maxAnswerBytes,
}: JsonJob & { kind: 'rank' }): Outcome<JsonResults['rank']> {
  const started = performance.now();
  const { queryIds, queries, referenceIds, references, options } = comparison;
  const reader = openVectors(referenceIds, references);
  const answer = answerComparison({ queryIds, queries, references: reader, options }, maxAnswerBytes, notes);
  return { result: { answer, ms: performance.now() - started }, transfer: [answer.buffer] };
}

/** @throws {ServiceError} INVALID_EMBEDDING, naming the embedding. */
function storeComparison(request: OpenedCompareRequest): PendingComparison {
  const { queryIds, queries, references, sample, space, pictures, options } = request;
  const length = sample?.length ?? 0;
  const missing = new Set(pictures.flatMap(({ reference }) => reference ?? []));
  return {
    comparison: {
      queryIds,
      queries: queries
        ? readVectors(queries, length)
        : { count: 1, length, values: new Float64Array(length) },
      referenceIds: references.ids,
      references: readVectors(references, length, missing),
      options,
    },
    pictures,
    sample,
    space,
  };
}
