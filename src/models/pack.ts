/** One of the two networks of a pack, found on disk and verified. */
export interface ModelFile {
  /** Absolute path. */
  path: string;
  bytes: number;
  /** Lower-case hex SHA-256 of the file as it was verified. */
  sha256: string;
  /** Whether the hash was compared with one known beforehand (the catalogue's, or a manifest's). */
  pinned: boolean;
  /** A network's input is (x − mean) / std of each 8-bit channel; a graph that normalises itself has 0 and 1. */
  preprocessing: { mean: number; std: number };
}

export interface RecogniserFile extends ModelFile {
  /** Side of the square aligned face, in pixels. */
  inputSize: number;
  /** Numbers of one embedding as a manifest promises it; undefined where only the graph itself says so. */
  embeddingSize?: number;
}

/** Everything the engine needs to know of a model pack: two verified files and what they mean. */
export interface ModelPack {
  name: string;
  /** How the pack was understood. `synthetic` recognises nobody. */
  origin: 'catalogue' | 'manifest' | 'folder' | 'synthetic';
  /** The licence of the weights, as a sentence for operators. */
  licence: string;
  detector: ModelFile;
  recogniser: RecogniserFile;
  /** What makes two embeddings comparable. */
  embeddingSpace: string;
}

/** SCRFD's input normalisation. Source: insightface, model_zoo/scrfd.py. */
export const DETECTOR_PREPROCESSING = { mean: 127.5, std: 128 } as const;

/** ArcFace's input normalisation. Source: insightface, model_zoo/arcface_onnx.py. */
export const RECOGNISER_PREPROCESSING = { mean: 127.5, std: 127.5 } as const;

/** Raise it whenever decoding, alignment or normalisation changes the embedding of the same picture. */
const EMBEDDING_RECIPE_VERSION: number = 1;

/**
 * Names the space in which embeddings are comparable: the pack and the first 12 hex digits of its recogniser's
 * SHA-256, and from version 2 on that of the preprocessing and alignment.
 */
export function embeddingSpaceOf(packName: string, recogniserSha256: string): string {
  const version = EMBEDDING_RECIPE_VERSION === 1 ? '' : `:v${EMBEDDING_RECIPE_VERSION}`;
  return `${packName}:${recogniserSha256.slice(0, 12)}${version}`;
}
