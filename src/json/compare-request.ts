import type { GivenImage } from '../engine/embed-images.ts';
import { ServiceError } from '../errors.ts';
import { agreeOnSpace, type NamedSpace, spacesOf } from '../similarity/compare.ts';
import { readUnitEmbedding } from '../similarity/embedding.ts';
import { type EmbeddingReader, type ExpectedLength, openEmbeddings } from '../similarity/embedding-set.ts';
import { countEmbeddings, openPersons } from '../similarity/person-embeddings.ts';
import { assertAtMost } from './assert-at-most.ts';
import { combineOptions } from './combine-options.ts';
import { COMPARE_BODY, type CompareBody, validateCompareBody } from './compare-schema.ts';
import { assertConsistent } from './embed-options.ts';
import { readImageText } from './image-text.ts';
import { countItems, parseJson } from './parse/parse.ts';

export interface CompareLimits {
  /** Maximum references, and maximum queries. */
  references: number;
  /** Maximum queries times references, for embeddings of at most COMPARISON_LENGTH numbers. */
  comparisons: number;
  pictures: number;
  imageBytes: number;
}

/** A picture in the place of an embedding. */
export interface ComparedPicture {
  /** Its place in the request, for errors: `reference_embeddings[3].image`. */
  name: string;
  /** A refusal is reported in the picture's turn, so that it does not hide what is wrong with an earlier picture. */
  image: GivenImage;
  /** The index of its reference; undefined for the query. */
  reference: number | undefined;
}

/** A valid compare request, with its embeddings ready to be read. */
export interface OpenedCompareRequest {
  /** The ids of several queries; undefined for a single query. */
  queryIds: readonly string[] | undefined;
  /** Undefined when the query is a picture. */
  queries: EmbeddingReader | undefined;
  references: EmbeddingReader;
  /** The embeddings of all references together. */
  embeddings: number;
  /** The first embedding's name and length, which all others must have; undefined when there are only pictures. */
  sample: ExpectedLength | undefined;
  /** The first embedding space that the request names, and where. */
  space: { name: string; space: string } | undefined;
  pictures: ComparedPicture[];
  options: CompareOptions;
}

export type CompareOptions = Omit<
  CompareBody,
  'query_embedding' | 'query_embeddings' | 'query_image' | 'embedding_space' | 'reference_embeddings'
>;

/** The length of embeddings that limits are given for: comparing takes time in proportion to the length. */
const COMPARISON_LENGTH = 512;

/**
 * Reads the body of a compare request.
 *
 * @param given options from outside the body.
 * @throws {ServiceError} INVALID_REQUEST; REQUEST_TOO_LARGE for too many references, queries, comparisons or pictures;
 *   EMBEDDING_SPACE_MISMATCH; INVALID_EMBEDDING for the embeddings read here: the query and the first reference.
 */
export function readCompareRequest(
  bytes: Uint8Array,
  limits: CompareLimits,
  given: object = {},
): OpenedCompareRequest {
  const body = parseBody(bytes, limits, given);
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
    for (const [index, { embedding, embeddings, image }] of reference_embeddings.entries()) {
      const given =
        Number(embedding !== undefined) + Number(embeddings !== undefined) + Number(image !== undefined);
      // There may be thousands: what is wrong is put into words only then.
      if (given === 1) continue;
      assertOneMember(`reference_embeddings[${index}].`, { embedding, embeddings, image });
    }
  }
  assertCombinable(options);
  const space = agreeOnSpace(spacesIn(body));
  const queries =
    query_embedding !== undefined
      ? openOne(query_embedding)
      : query_embeddings && openEmbeddings(query_embeddings, 'query_embeddings');
  const references = openReferences(body, sampleOf(queries));
  const sample = sampleOf(queries) ?? sampleOf(references);
  const embeddings = countEmbeddings(references);
  assertComparisons(queries?.ids.length ?? 1, embeddings, sample?.length ?? 0, limits);
  return {
    queryIds: query_embeddings && queries?.ids,
    queries,
    references,
    embeddings,
    sample,
    space,
    pictures: takePictures(body, limits),
    options,
  };
}

/**
 * The request that several pictures make.
 *
 * @throws {ServiceError} INVALID_REQUEST for options that exclude each other.
 */
export function requestOfPictures(
  query: ComparedPicture,
  references: readonly { id: string; picture: ComparedPicture }[],
  options: CompareOptions,
): OpenedCompareRequest {
  assertCombinable(options);
  return {
    queryIds: undefined,
    queries: undefined,
    references: openEmbeddings(
      references.map(({ id }) => ({ id })),
      'reference_image',
    ),
    embeddings: references.length,
    sample: undefined,
    space: undefined,
    pictures: [query, ...references.map(({ picture }) => picture)],
    options,
  };
}

/** @throws {ServiceError} INVALID_REQUEST for options that exclude each other. */
function assertCombinable(options: CompareOptions): void {
  assertConsistent(options);
  assertOneVerdict(options);
}

/** @throws {ServiceError} INVALID_REQUEST; REQUEST_TOO_LARGE for too many items, before each of them is validated. */
function parseBody(bytes: Uint8Array, limits: CompareLimits, given: object): CompareBody {
  const body = parseJson(bytes, COMPARE_BODY, { items: limits.references });
  const { query_embeddings, reference_embeddings } = (body ?? {}) as Partial<CompareBody>;
  assertAtMost(countOf(reference_embeddings, limits.references), limits.references, 'references');
  assertAtMost(countOf(query_embeddings, limits.references), limits.references, 'queries');
  return validateCompareBody(combineOptions(given, body));
}

/**
 * Embeddings of a list or of a block; 0 for anything else. An item of a list counts as one, or as many as it has.
 *
 * @param limit more than this is returned if an item was not kept whole.
 */
function countOf(set: unknown, limit: number): number {
  const list = Array.isArray(set) ? set : (set as { ids?: unknown } | null | undefined)?.ids;
  if (!Array.isArray(list)) return 0;
  let count = countItems(list);
  if (list !== set) return count;
  let isWhole = true;
  for (const item of list) {
    const embeddings = item?.embeddings;
    if (!Array.isArray(embeddings)) continue;
    const ofItem = countItems(embeddings);
    count += Math.max(0, ofItem - 1);
    // Lists that a later member of the same name replaces count as well.
    isWhole &&= ofItem === embeddings.length;
  }
  return isWhole ? count : Math.max(count, limit + 1);
}

function assertComparisons(
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

/** @throws {ServiceError} INVALID_REQUEST for two options that both decide what a match is. */
function assertOneVerdict({ threshold, max_far, max_fpir }: CompareOptions): void {
  const given = Object.entries({ threshold, max_far, max_fpir }).filter(([, value]) => value !== undefined);
  if (given.length <= 1) return;
  const names = given.map(([name]) => name);
  throw new ServiceError('INVALID_REQUEST', {
    detail: `${names[0]}: expected at most one of threshold, max_far, max_fpir; given are ${names.join(', ')}`,
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
  return { ids: [''], length: values.length, name, values, read: (_, row) => row.set(values) };
}

function openReferences(
  { reference_embeddings: set, person_distance }: CompareBody,
  like: ExpectedLength | undefined,
): EmbeddingReader {
  const name = 'reference_embeddings';
  if (!Array.isArray(set) || !set.some(({ embeddings }) => embeddings !== undefined)) {
    return openEmbeddings(set, name, like);
  }
  return openPersons(set, name, person_distance, like);
}

function sampleOf(reader: EmbeddingReader | undefined): ExpectedLength | undefined {
  return reader?.length === undefined ? undefined : { name: reader.name, length: reader.length };
}

/** @throws {ServiceError} REQUEST_TOO_LARGE. */
function takePictures(
  { query_image, reference_embeddings }: CompareBody,
  limits: CompareLimits,
): ComparedPicture[] {
  const references = Array.isArray(reference_embeddings)
    ? reference_embeddings.flatMap(({ image }, reference) =>
        image === undefined
          ? []
          : { name: `reference_embeddings[${reference}].image`, text: image, reference },
      )
    : [];
  const all =
    query_image === undefined
      ? references
      : [{ name: 'query_image', text: query_image, reference: undefined }, ...references];
  assertAtMost(all.length, limits.pictures, 'images');
  return all.map(({ name, text, reference }) => ({
    name,
    image: readImageText(text, limits.imageBytes),
    reference,
  }));
}
