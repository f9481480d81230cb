import { createHash } from 'node:crypto';

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

/** Side of ArcFace's square input, in pixels. */
export const RECOGNISER_INPUT_SIZE = 112;

/** Raise it whenever decoding, alignment or normalisation changes the embedding of the same picture. */
const EMBEDDING_RECIPE_VERSION: number = 1;

/** How an aligned face becomes the recogniser's input. */
export interface RecogniserRecipe {
  inputSize: number;
  preprocessing: { mean: number; std: number };
}

/**
 * Names the space in which embeddings are comparable: the pack and the first 12 hex digits of its recogniser's
 * SHA-256, and from version 2 on that of the preprocessing and alignment.
 *
 * @param recipe where something besides the file says how its input is made. One that is not ArcFace's own is hashed
 *   together with the file's SHA-256, since the same network gives other embeddings with it.
 */
export function embeddingSpaceOf(
  packName: string,
  recogniserSha256: string,
  recipe?: RecogniserRecipe,
): string {
  const version = EMBEDDING_RECIPE_VERSION === 1 ? '' : `:v${EMBEDDING_RECIPE_VERSION}`;
  const hash =
    recipe === undefined || isUsual(recipe) ? recogniserSha256 : hashWith(recogniserSha256, recipe);
  return `${packName}:${hash.slice(0, 12)}${version}`;
}

function isUsual({ inputSize, preprocessing: { mean, std } }: RecogniserRecipe): boolean {
  const usual = RECOGNISER_PREPROCESSING;
  return inputSize === RECOGNISER_INPUT_SIZE && mean === usual.mean && std === usual.std;
}

function hashWith(recogniserSha256: string, { inputSize, preprocessing }: RecogniserRecipe): string {
  const { mean, std } = preprocessing;
  return createHash('sha256').update(`${recogniserSha256} ${inputSize} ${mean} ${std}`).digest('hex');
}
