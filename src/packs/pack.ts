import { createHash } from 'node:crypto';
import type { COLOUR_PROFILE_MODES } from '../config/settings.ts';

export type ColourProfiles = (typeof COLOUR_PROFILE_MODES)[number];

/** A network's input is (x − mean) / std of each 8-bit channel. */
export interface Preprocessing {
  mean: number;
  std: number;
}

/** One of the two networks of a pack, found on disk and verified. */
export interface ModelFile {
  /** Absolute path. */
  path: string;
  bytes: number;
  /** Lower-case hex SHA-256 of the file when it was verified. */
  sha256: string;
  /** Whether the hash was compared with an expected one, from the catalogue or a manifest. */
  pinned: boolean;
  preprocessing: Preprocessing;
}

export interface RecogniserFile extends ModelFile {
  /** Side of the square aligned face, in pixels. */
  inputSize: number;
  /** Length of an embedding according to the manifest. Undefined if only the graph states it. */
  embeddingSize?: number;
}

/** What the engine needs to know about a model pack. */
export interface ModelPack {
  name: string;
  /** How the pack was resolved. `synthetic` is for trying the API. */
  origin: 'catalogue' | 'manifest' | 'folder' | 'synthetic';
  /** The licence of the weights, as a sentence for operators. */
  licence: string;
  detector: ModelFile;
  recogniser: RecogniserFile;
  /** Bits of the weights of a pack that `npm run models -- quantise` made. */
  weightBits?: number | undefined;
  /** Embeddings are comparable if their spaces have the same name. */
  embeddingSpace: string;
}

/** SCRFD's input normalisation. Source: insightface, model_zoo/scrfd.py. */
export const DETECTOR_PREPROCESSING: Preprocessing = { mean: 127.5, std: 128 };

/** ArcFace's input normalisation. Source: insightface, model_zoo/arcface_onnx.py. */
export const RECOGNISER_PREPROCESSING: Preprocessing = { mean: 127.5, std: 127.5 };

/** For a graph that normalises its own input. */
export const NO_PREPROCESSING: Preprocessing = { mean: 0, std: 1 };

/** Side of ArcFace's square input, in pixels. */
export const RECOGNISER_INPUT_SIZE = 112;

/** Increase it when decoding, alignment or normalisation changes the embedding of the same picture. */
const EMBEDDING_RECIPE_VERSION: number = 1;

/** How an aligned face becomes the recogniser's input. */
export type RecogniserRecipe = Pick<RecogniserFile, 'inputSize' | 'preprocessing'>;

/**
 * Names the space in which embeddings are comparable: the pack, the first 12 hex digits of its recogniser's SHA-256 and,
 * from version 2 on, the version of the preprocessing and alignment.
 *
 * @param recipe if something besides the file determines the input. If it is not ArcFace's own, it is hashed together
 *   with the file's SHA-256, because the same network gives other embeddings with it.
 */
export function embeddingSpaceOf(
  packName: string,
  recogniserSha256: string,
  recipe?: RecogniserRecipe,
): string {
  const version = EMBEDDING_RECIPE_VERSION === 1 ? '' : `:v${EMBEDDING_RECIPE_VERSION}`;
  const hash =
    recipe === undefined || isStandard(recipe) ? recogniserSha256 : hashWith(recogniserSha256, recipe);
  return `${packName}:${hash.slice(0, 12)}${version}`;
}

/**
 * Names the space of a pack by how colour profiles are read. The name without an addition stands for InsightFace's own
 * preprocessing, which ignores them.
 */
export function withColourProfiles(pack: ModelPack, colourProfiles: ColourProfiles = 'ignore'): ModelPack {
  return colourProfiles === 'ignore' ? pack : { ...pack, embeddingSpace: `${pack.embeddingSpace}:icc` };
}

function isStandard({ inputSize, preprocessing: { mean, std } }: RecogniserRecipe): boolean {
  const standard = RECOGNISER_PREPROCESSING;
  return inputSize === RECOGNISER_INPUT_SIZE && mean === standard.mean && std === standard.std;
}

function hashWith(recogniserSha256: string, { inputSize, preprocessing }: RecogniserRecipe): string {
  const { mean, std } = preprocessing;
  return createHash('sha256').update(`${recogniserSha256} ${inputSize} ${mean} ${std}`).digest('hex');
}
