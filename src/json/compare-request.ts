import type { GivenImage } from '../engine/embed-images.ts';
import { ServiceError } from '../errors.ts';
import { agreeOnSpace, type NamedSpace, spacesOf } from '../similarity/compare.ts';
import { readUnitEmbedding } from '../similarity/embedding.ts';
import { type EmbeddingReader, openEmbeddings, type Yardstick } from '../similarity/embedding-set.ts';
import { assertFew } from './assert-at-most.ts';
import type { CompareBody } from './compare-schema.ts';
import { COMPARE_DEFAULTS, isPlainCompareRequest } from './compare-shape.ts';
import { readImageText } from './image-text.ts';
import { parseLongJson } from './long-json.ts';
import { parseJson } from './parse.ts';
import { assertConsistent } from './search-options.ts';

export interface CompareLimits {
  /** Most references, and most queries. */
  references: number;
  /** Most queries times references, of embeddings of at most COMPARISON_LENGTH numbers. */
  comparisons: number;
  pictures: number;
  imageBytes: number;
}

/** A picture in the place of an embedding. */
export interface ComparedPicture {
  /** Where it stands in the request, for errors: `reference_embeddings[3].image`. */
  name: string;
  /** What is wrong with one must not hide what is wrong with an earlier one. */
  image: GivenImage;
  /** Which reference it is; undefined for the query. */
  reference: number | undefined;
}

/** Everything a compare request says, with its embeddings ready to be read. */
export interface OpenedCompareRequest {
  /** The ids of several queries; undefined for a lone one. */
  queryIds: readonly string[] | undefined;
  /** Undefined when it is a picture. */
  queries: EmbeddingReader | undefined;
  references: EmbeddingReader;
  /** An embedding and its length, which is that of all; undefined when there are only pictures. */
  sample: Yardstick | undefined;
  /** The embedding space that was named first, and for what. */
  space: { name: string; space: string } | undefined;
  pictures: ComparedPicture[];
  options: CompareOptions;
}

export type CompareOptions = Omit<
  CompareBody,
  'query_embedding' | 'query_embeddings' | 'query_image' | 'embedding_space' | 'reference_embeddings'
>;

/** Comparing takes time in proportion to the length of the embeddings; this is the length that limits are meant for. */
const COMPARISON_LENGTH = 512;

/**
 * Reads the body of a compare request.
 *
 * @throws {ServiceError} INVALID_REQUEST; REQUEST_TOO_LARGE for too many references, queries, comparisons or pictures;
 *   EMBEDDING_SPACE_MISMATCH; INVALID_EMBEDDING, as far as embeddings are looked at here.
 */
export async function readCompareRequest(
  bytes: Uint8Array,
  limits: CompareLimits,
): Promise<OpenedCompareRequest> {
  const body = await parseBody(bytes, limits);
  const {
    query_embedding,
    query_embeddings,
    query_image,
    embedding_space,
    reference_embeddings,
    ...options
  } = body;
  assertOneMember('', { query_embedding, query_embeddings, query_image });
  if (Array.isArray(reference_embeddings)) {
    for (const [index, { embedding, image }] of reference_embeddings.entries()) {
      assertOneMember(`reference_embeddings[${index}].`, { embedding, image });
    }
  }
  assertConsistent(options);
  const space = agreeOnSpace(spacesIn(body));
  const queries =
    query_embedding !== undefined
      ? openOne(query_embedding)
      : query_embeddings && openEmbeddings(query_embeddings, 'query_embeddings');
  const references = openEmbeddings(reference_embeddings, 'reference_embeddings', sampleOf(queries));
  const sample = sampleOf(queries) ?? sampleOf(references);
  assertFewComparisons(queries?.ids.length ?? 1, references.ids.length, sample?.length ?? 0, limits);
  return {
    queryIds: query_embeddings && queries?.ids,
    queries,
    references,
    sample,
    space,
    pictures: takePictures(body, limits),
    options,
  };
}

/**
 * @throws {ServiceError} INVALID_REQUEST, or REQUEST_TOO_LARGE, which is found out before each of too many members is
 *   looked at.
 */
async function parseBody(bytes: Uint8Array, limits: CompareLimits): Promise<CompareBody> {
  const body = parseLongJson(bytes);
  const { query_embeddings, reference_embeddings } = (body ?? {}) as Partial<CompareBody>;
  assertFew(countOf(reference_embeddings), limits.references, 'references');
  assertFew(countOf(query_embeddings), limits.references, 'queries');
  if (isPlainCompareRequest(body)) return { ...COMPARE_DEFAULTS, ...(body as CompareBody) };
  const { parseCompareBody } = await import('./compare-schema.ts');
  return parseCompareBody(parseJson(bytes));
}

/** Members of a list or of a block, if it is either. */
function countOf(set: unknown): number {
  const list = Array.isArray(set) ? set : (set as { ids?: unknown } | null | undefined)?.ids;
  return Array.isArray(list) ? list.length : 0;
}

function assertFewComparisons(
  queries: number,
  references: number,
  length: number,
  { comparisons }: CompareLimits,
): void {
  const weight = Math.max(1, length / COMPARISON_LENGTH);
  if (queries * references * weight <= comparisons) return;
  const long = weight > 1 ? ` of ${length} numbers` : '';
  throw new ServiceError('REQUEST_TOO_LARGE', {
    detail: `${queries} queries × ${references} references${long}; the limit is ${Math.floor(comparisons / weight)} comparisons.`,
  });
}

/** @param prefix of the members' names in the request. */
function assertOneMember(prefix: string, members: Record<string, unknown>): void {
  const names = Object.keys(members);
  if (names.filter((name) => members[name] !== undefined).length === 1) return;
  throw new ServiceError('INVALID_REQUEST', {
    detail: `${prefix}${names[0]}: expected exactly one of ${names.join(', ')}`,
  });
}

function* spacesIn(body: CompareBody): Generator<NamedSpace> {
  yield ['The request', body.embedding_space];
  if (body.query_embeddings) yield* spacesOf(body.query_embeddings, 'query_embeddings');
  yield* spacesOf(body.reference_embeddings, 'reference_embeddings');
}

function openOne(embedding: CompareBody['query_embedding'] & {}): EmbeddingReader {
  const name = 'query_embedding';
  const values = readUnitEmbedding(embedding, name);
  return { ids: [''], length: values.length, name, read: (_, row) => row.set(values) };
}

function sampleOf(reader: EmbeddingReader | undefined): Yardstick | undefined {
  return reader?.length === undefined ? undefined : { name: reader.name, length: reader.length };
}

/** @throws {ServiceError} REQUEST_TOO_LARGE. */
function takePictures(
  { query_image, reference_embeddings }: CompareBody,
  limits: CompareLimits,
): ComparedPicture[] {
  const texts = Array.isArray(reference_embeddings)
    ? reference_embeddings.flatMap(({ image }, reference) =>
        image === undefined
          ? []
          : { name: `reference_embeddings[${reference}].image`, text: image, reference },
      )
    : [];
  const all =
    query_image === undefined
      ? texts
      : [{ name: 'query_image', text: query_image, reference: undefined }, ...texts];
  assertFew(all.length, limits.pictures, 'images');
  return all.map(({ name, text, reference }) => ({
    name,
    image: readImageText(text, limits.imageBytes),
    reference,
  }));
}

/** An error that says which picture it belongs to. What is not the picture's fault stays as it is. */
export function namePicture(error: ServiceError, name: string): ServiceError {
  if (error.status >= 500) return error;
  const { code, message, detail = message } = error;
  return new ServiceError(code, { message, detail: `${name}: ${detail}` });
}
