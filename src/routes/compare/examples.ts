import { encodeEmbedding } from '../../similarity/embedding.ts';
import { EXAMPLE_PICTURES } from '../document/example-pictures.ts';

const [first, second] = EXAMPLE_PICTURES;

/** What an embedding of 512 numbers looks like; it is of no face. @param phase tells one from another. */
function exampleEmbedding(phase: number): number[] | string {
  const values = Float32Array.from({ length: 512 }, (_, index) => Math.sin(index * index + phase) / 16);
  return encodeEmbedding(values, 'base64');
}

/**
 * Bodies of `/v1/compare` that succeed as they are, whatever model is loaded. Of members that exclude each other each has one:
 * from the schema itself, a page would make a body with all of them.
 */
export const COMPARE_EXAMPLES = {
  numbers: {
    summary: 'Embeddings as numbers (here two for each, in place of 512)',
    value: {
      query_embedding: [0.6, 0.8],
      reference_embeddings: [
        { id: 'user_001', embedding: [1, -1] },
        { id: 'user_002', embedding: [0.5, 0.9] },
      ],
      threshold: 0.7,
    },
  },
  base64: {
    summary: 'Embeddings of 512 numbers, as encoding_format=base64 gives them',
    value: {
      query_embedding: exampleEmbedding(0),
      reference_embeddings: [{ id: 'user_001', embedding: exampleEmbedding(0.1) }],
      threshold: 0.7,
    },
  },
  pictures: {
    summary: 'Pictures',
    value: {
      query_image: first,
      reference_embeddings: [
        { id: 'user_001', image: first },
        { id: 'user_002', image: second },
      ],
      threshold: 0.7,
    },
  },
};
