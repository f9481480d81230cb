import { encodeEmbedding } from '../../../src/similarity/embedding.ts';
import { seededRandom } from '../numbers.ts';

/** The body of a compare request with this many random references. */
export function compareBody(references: number, encoding: 'float' | 'base64'): string {
  const random = seededRandom(references);
  const embedding = () => {
    const vector = Float32Array.from({ length: 512 }, () => random() - 0.5);
    return encodeEmbedding(vector, encoding);
  };
  const reference_embeddings = Array.from({ length: references }, (_, i) => ({
    id: `r${i}`,
    embedding: embedding(),
  }));
  return JSON.stringify({ query_embedding: embedding(), reference_embeddings, top_k: 10 });
}
