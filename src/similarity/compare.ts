import { ServiceError } from '../errors.ts';
import { writeSquaredDistances } from './distances.ts';
import { type EmbeddingReader, type EmbeddingSet, isBlock, type UnitVectors } from './embedding-set.ts';
import { personInterval, type RateInterval } from './far-curve.ts';
import type { FarScale } from './far-evidence.ts';
import { findNearest } from './nearest.ts';

export const DISTANCE_METRICS = ['cosine', 'euclidean'] as const;

export type DistanceMetric = (typeof DISTANCE_METRICS)[number];

export interface RankingOptions {
  distance_metric: DistanceMetric;
  /** Maximum distance that counts as the same person, in the chosen metric. */
  threshold?: number | undefined;
  /** Maximum matches of each query. */
  top_k?: number | undefined;
  /** The rates that matches are given, if they are known. */
  scale?: FarScale | undefined;
}

export interface Match {
  id: string;
  /** 0..2 in the chosen metric. */
  distance: number;
  /** (1 + cos) / 2, whatever the metric. */
  similarity: number;
  /** Only with a threshold, a maximum FAR or a maximum FPIR. */
  is_match?: boolean;
  /** The share of pairs of strangers that are at least as near. */
  far?: RateInterval;
}

export interface BestMatch extends Match {
  /** The share of strangers who find a reference that is at least as near among all of the request. */
  fpir?: RateInterval;
}

export interface Ranking {
  matches: Match[];
  best_match: BestMatch | null;
}

/**
 * Ranks references for each of several queries, nearest first, ties in request order.
 *
 * @param references with embeddings of the queries' length.
 * @param more further members of a match, by the index of its reference.
 * @returns the ranking of each query, computed when it is consumed; all distances are computed before the first.
 * @throws {ServiceError} INVALID_EMBEDDING, naming the reference.
 */
export function* rankEach(
  queries: UnitVectors,
  references: EmbeddingReader,
  { distance_metric, threshold, top_k, scale }: RankingOptions,
  more?: (reference: number) => object | undefined,
): Generator<Ranking> {
  const { ids, starts, groups } = references;
  // One embedding may have millions of numbers.
  const row = new Float64Array(ids.length > 0 ? queries.length : 0);
  const distances = new Float64Array(queries.count * ids.length);
  for (let index = 0; index < ids.length; index++) {
    references.read(starts?.[index] ?? index, row);
    writeSquaredDistances(queries.values, row, distances, index, ids.length);
  }
  if (starts) takeNearer(queries, { ...references, starts }, row, distances);
  const describe = (squared: number, index: number): Match => {
    const distance = distance_metric === 'cosine' ? squared / 2 : Math.sqrt(squared);
    const similarity = 1 - squared / 4;
    // Members are added, not spread: an answer may have thousands of matches.
    const match: Match = { id: ids[index] as string, distance, similarity };
    if (threshold !== undefined) match.is_match = distance <= threshold;
    if (scale) {
      const one = scale.far(similarity);
      const embeddings = groups ? (groups[index + 1] as number) - (groups[index] as number) : 1;
      const far = embeddings > 1 ? personInterval(one, embeddings) : one;
      if (scale.accepts) match.is_match = scale.accepts(far, one);
      match.far = far;
    }
    const further = more?.(index);
    return further ? { ...match, ...further } : match;
  };
  for (let query = 0; query < queries.count; query++) {
    const ofQuery = distances.subarray(query * ids.length, (query + 1) * ids.length);
    const nearest = findNearest(ofQuery, Math.min(top_k ?? ids.length, ids.length));
    const matches = nearest.map((index) => describe(ofQuery[index] as number, index));
    yield { matches, best_match: bestOf(matches, scale) };
  }
}

function bestOf([first]: readonly Match[], scale: FarScale | undefined): BestMatch | null {
  if (first?.far && scale) return { ...first, fpir: scale.fpir(scale.far(first.similarity)) };
  return first ?? null;
}

/** Replaces the distances to the first row of each reference by those to its nearest. */
function takeNearer(
  queries: UnitVectors,
  { ids, starts, read }: EmbeddingReader & { starts: Uint32Array },
  row: Float64Array,
  distances: Float64Array,
): void {
  const others = new Float64Array(queries.count);
  for (let index = 0; index < ids.length; index++) {
    const end = starts[index + 1] as number;
    for (let other = (starts[index] as number) + 1; other < end; other++) {
      read(other, row);
      writeSquaredDistances(queries.values, row, others, 0, 1);
      for (let query = 0; query < queries.count; query++) {
        const at = query * ids.length + index;
        if ((others[query] as number) < (distances[at] as number)) distances[at] = others[query] as number;
      }
    }
  }
}

/** An embedding's name in the request, and the embedding space that is given for it. */
export type NamedSpace = readonly [name: string, space: string | undefined];

export function* spacesOf(set: EmbeddingSet, name: string): Generator<NamedSpace> {
  if (isBlock(set)) yield [name, set.embedding_space];
  else for (const [index, { embedding_space }] of set.entries()) yield [`${name}[${index}]`, embedding_space];
}

/**
 * Checks that all given spaces are the same. An embedding without a space is trusted.
 *
 * @returns the first space that is given.
 * @throws {ServiceError} EMBEDDING_SPACE_MISMATCH.
 */
export function agreeOnSpace(named: Iterable<NamedSpace>): { name: string; space: string } | undefined {
  let first: { name: string; space: string } | undefined;
  for (const [name, space] of named) {
    if (space === undefined) continue;
    first ??= { name, space };
    if (space !== first.space) {
      throw new ServiceError('EMBEDDING_SPACE_MISMATCH', {
        detail: `${name} is of ${space}, others are of ${first.space}.`,
      });
    }
  }
  return first;
}
