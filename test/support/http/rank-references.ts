import {
  agreeOnSpace,
  type DistanceMetric,
  type Ranking,
  type RankingOptions,
  rankEach,
  spacesOf,
} from '../../../src/similarity/compare.ts';
import { readUnitEmbedding, type UncheckedEmbedding } from '../../../src/similarity/embedding.ts';
import { type EmbeddingSet, openEmbeddings } from '../../../src/similarity/embedding-set.ts';

export interface CompareRequest extends RankingOptions {
  query_embedding: UncheckedEmbedding;
  embedding_space?: string | undefined;
  reference_embeddings: EmbeddingSet;
}

export interface CompareResponse extends Ranking {
  distance_metric: DistanceMetric;
  threshold?: number;
}

/**
 * Ranks references by their distance to the query, nearest first, ties in request order.
 *
 * @throws {ServiceError} INVALID_EMBEDDING or EMBEDDING_SPACE_MISMATCH, naming the embedding.
 */
export function rankReferences(request: CompareRequest): CompareResponse {
  const { query_embedding, embedding_space, reference_embeddings, distance_metric, threshold } = request;
  const name = 'reference_embeddings';
  agreeOnSpace([['The request', embedding_space], ...spacesOf(reference_embeddings, name)]);
  const query = readUnitEmbedding(query_embedding, 'query_embedding');
  const like = { name: 'query_embedding', length: query.length };
  const references = openEmbeddings(reference_embeddings, name, like);
  const [ranking] = rankEach({ count: 1, length: query.length, values: query }, references, request);
  return {
    ...(ranking as Ranking),
    distance_metric,
    ...(threshold === undefined ? {} : { threshold }),
  };
}
