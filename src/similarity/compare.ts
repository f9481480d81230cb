import { ServiceError } from '../errors.ts';
import { readUnitEmbedding, type UncheckedEmbedding } from './embedding.ts';

export const DISTANCE_METRICS = ['cosine', 'euclidean'] as const;

export type DistanceMetric = (typeof DISTANCE_METRICS)[number];

export interface CompareRequest {
  query_embedding: UncheckedEmbedding;
  embedding_space?: string | undefined;
  reference_embeddings: {
    id: string;
    embedding: UncheckedEmbedding;
    embedding_space?: string | undefined;
  }[];
  distance_metric: DistanceMetric;
  /** Largest distance that counts as the same person, in the chosen metric. */
  threshold?: number | undefined;
  /** Most matches in the answer. */
  top_k?: number | undefined;
}

export interface Match {
  id: string;
  /** 0..2 in the chosen metric. */
  distance: number;
  /** (1 + cos) / 2, whatever the metric. */
  similarity: number;
  /** Only with a threshold. */
  is_match?: boolean;
}

export interface CompareResponse {
  matches: Match[];
  best_match: Match | null;
  distance_metric: DistanceMetric;
  threshold?: number;
}

/**
 * Ranks references by their distance to the query, nearest first, ties in request order.
 *
 * @throws {ServiceError} INVALID_EMBEDDING or EMBEDDING_SPACE_MISMATCH, naming the embedding.
 */
export function rankReferences(request: CompareRequest): CompareResponse {
  const { distance_metric, threshold, top_k } = request;
  assertOneSpace(request);
  const query = readUnitEmbedding(request.query_embedding, 'query_embedding');
  const matches = request.reference_embeddings.map(({ id, embedding }, index): Match => {
    const name = `reference_embeddings[${index}].embedding`;
    const reference = readUnitEmbedding(embedding, name);
    if (reference.length !== query.length) {
      throw new ServiceError('INVALID_EMBEDDING', {
        detail: `${name} has ${reference.length} numbers; query_embedding has ${query.length}.`,
      });
    }
    const squared = squaredDistance(query, reference);
    const distance = distance_metric === 'cosine' ? squared / 2 : Math.sqrt(squared);
    return {
      id,
      distance,
      similarity: 1 - squared / 4,
      ...(threshold === undefined ? {} : { is_match: distance <= threshold }),
    };
  });
  matches.sort((a, b) => a.distance - b.distance);
  return {
    matches: top_k === undefined ? matches : matches.slice(0, top_k),
    best_match: matches[0] ?? null,
    distance_metric,
    ...(threshold === undefined ? {} : { threshold }),
  };
}

/**
 * ‖q − r‖² of unit vectors, 0..4. Since cos = 1 − ‖q − r‖² / 2, one sum serves both metrics, and equal vectors come
 * out at exactly 0, which 1 − q·r does not give.
 */
function squaredDistance(query: Float64Array, reference: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < query.length; i++) {
    const difference = (query[i] as number) - (reference[i] as number);
    sum += difference * difference;
  }
  return Math.min(sum, 4);
}

/** Every space that is named must be the same; what names none is taken on trust. */
function assertOneSpace({ embedding_space, reference_embeddings }: CompareRequest): void {
  let known = embedding_space;
  for (const [index, reference] of reference_embeddings.entries()) {
    known ??= reference.embedding_space;
    if (reference.embedding_space !== undefined && reference.embedding_space !== known) {
      throw new ServiceError('EMBEDDING_SPACE_MISMATCH', {
        detail: `reference_embeddings[${index}] is of ${reference.embedding_space}, others are of ${known}.`,
      });
    }
  }
}
