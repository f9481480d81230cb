import {
  type EmbeddingReader,
  openVectors,
  readVectors,
  type UnitVectors,
} from '../similarity/embedding-set.ts';
import { type FarEvidence, farScaleOf } from '../similarity/far-evidence.ts';
import { countEmbeddings, mostEmbeddings } from '../similarity/person-embeddings.ts';
import type { JobOutcome } from '../threads/job-port.ts';
import { answerComparison, type PictureNotes } from './compare-answer.ts';
import {
  type CompareLimits,
  type CompareOptions,
  type OpenedCompareRequest,
  readCompareRequest,
} from './compare-request.ts';

/** A comparison as plain data, which can be transferred between threads. */
export interface StoredComparison {
  queryIds: readonly string[] | undefined;
  queries: UnitVectors;
  referenceIds: readonly string[];
  references: UnitVectors;
  /** Where the vectors of references with several embeddings are; see EmbeddingReader. */
  layout?: Pick<EmbeddingReader, 'starts' | 'groups'>;
  options: CompareOptions;
}

/** A comparison whose pictures are still to be embedded. Their vectors are zero, or have length 0 if there are no others. */
export interface PendingComparison extends Pick<OpenedCompareRequest, 'pictures' | 'sample' | 'space'> {
  comparison: StoredComparison;
}

export interface RankResult {
  /** JSON text in UTF-8. */
  answer: Uint8Array<ArrayBuffer>;
  /** Milliseconds that the job took. */
  ms: number;
}

export type CompareResult = RankResult | { pending: PendingComparison; ms: number };

/**
 * Work that a thread does in about a millisecond: so many queries times references, and so many characters of ids in the answers. A few
 * kilobytes of short embeddings can mean a million of either.
 */
const MAX_LIGHT_COMPARISONS = 2_000;
const MAX_LIGHT_ID_CHARACTERS = 256 * 1024;

/** Whether comparing takes so long that the main thread must not do it. */
export function isHeavy(queries: number, ids: readonly string[], embeddings = ids.length): boolean {
  if (queries * embeddings > MAX_LIGHT_COMPARISONS) return true;
  // Each query is answered with the ids of all references.
  return queries * ids.reduce((sum, { length }) => sum + length, 0) > MAX_LIGHT_ID_CHARACTERS;
}

/**
 * Reads a compare request and, unless it has pictures, ranks.
 *
 * @param options lightOnly: whether a comparison that is heavy is left undone, and undefined is returned.
 * @throws {ServiceError} what is wrong with the request.
 */
export function compare(
  body: Uint8Array,
  limits: CompareLimits,
  {
    given,
    maxAnswerBytes,
    lightOnly,
    evidence,
  }: {
    given: object | undefined;
    maxAnswerBytes: number;
    lightOnly: boolean;
    /** Undefined while no model is loaded. */
    evidence?: FarEvidence | undefined;
  },
): JobOutcome<CompareResult> | undefined {
  const started = performance.now();
  const request = readCompareRequest(body, limits, given);
  const scale = scaleOf(request, evidence);
  if (request.pictures.length > 0) {
    const pending = storeComparison(request);
    const { queries: stored, references } = pending.comparison;
    const images = pending.pictures.flatMap(({ image }) => ('code' in image ? [] : image.buffer));
    const transfer = [stored.values.buffer, references.values.buffer, ...images];
    return { result: { pending, ms: performance.now() - started }, transfer };
  }
  const { queryIds, queries, references, embeddings, sample, options } = request;
  if (lightOnly && isHeavy(queryIds?.length ?? 1, references.ids, embeddings)) return undefined;
  // Without pictures there are queries.
  const vectors = readVectors(queries as EmbeddingReader, sample?.length ?? 0);
  const answer = answerComparison({ queryIds, queries: vectors, references, options, scale }, maxAnswerBytes);
  return { result: { answer, ms: performance.now() - started }, transfer: [answer.buffer] };
}

/**
 * Ranks a comparison whose pictures have been embedded.
 *
 * @param evidence of the model that embedded them.
 * @throws {ServiceError} REQUEST_TOO_LARGE; INVALID_REQUEST when the evidence does not carry the rate that is asked for.
 */
export function rank(
  { queryIds, queries, referenceIds, references, layout, options }: StoredComparison,
  notes: PictureNotes,
  maxAnswerBytes: number,
  evidence?: FarEvidence,
): JobOutcome<RankResult> {
  const started = performance.now();
  const reader = openVectors(referenceIds, references, layout);
  // Its embeddings have been found to be of the model.
  const compared = {
    space: undefined,
    length: references.length,
    references: countEmbeddings(reader),
    most: mostEmbeddings(reader),
  };
  const scale = farScaleOf(options, evidence, compared);
  const comparison = { queryIds, queries, references: reader, options, scale };
  const answer = answerComparison(comparison, maxAnswerBytes, notes);
  return { result: { answer, ms: performance.now() - started }, transfer: [answer.buffer] };
}

/**
 * What a comparison of pictures alone needs until they are embedded.
 *
 * @param evidence undefined while no model is loaded.
 * @throws {ServiceError} INVALID_REQUEST or MODEL_NOT_LOADED for a rate that cannot be told.
 */
export function openPending(
  request: OpenedCompareRequest,
  evidence: FarEvidence | undefined,
): PendingComparison {
  scaleOf(request, evidence);
  return storeComparison(request);
}

/** Before pictures are embedded: what cannot be answered is refused at once. */
function scaleOf(request: OpenedCompareRequest, evidence: FarEvidence | undefined) {
  return farScaleOf(request.options, evidence, {
    space: request.space?.space,
    length: request.sample?.length,
    references: countEmbeddings(request.references),
    most: mostEmbeddings(request.references),
  });
}

/** @throws {ServiceError} INVALID_EMBEDDING, naming the embedding. */
function storeComparison(request: OpenedCompareRequest): PendingComparison {
  const { queryIds, queries, references, sample, space, pictures, options } = request;
  const length = sample?.length ?? 0;
  const { starts, groups } = references;
  const missing = new Set(
    pictures.flatMap(({ reference }) => (reference === undefined ? [] : (starts?.[reference] ?? reference))),
  );
  return {
    comparison: {
      queryIds,
      queries: queries
        ? readVectors(queries, length)
        : { count: 1, length, values: new Float64Array(length) },
      referenceIds: references.ids,
      references: readVectors(references, length, missing),
      layout: { starts, groups },
      options,
    },
    pictures,
    sample,
    space,
  };
}
