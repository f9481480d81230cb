import { createHash } from 'node:crypto';
import type { COLOUR_PROFILE_MODES } from '../config/settings.ts';
import { RFB_INPUT } from '../onnx/rfb-outputs.ts';
import type { Provenance } from './provenance.ts';

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

/**
 * The families of detectors that this service runs. To add one: its name here, with the normalisation of its input below; how its
 * graph is told from others in identify-files.ts; its network in a folder of src/vision/detect, and the choice of it in
 * src/vision/detect/open-detector.ts.
 */
export const DETECTOR_FAMILIES = ['scrfd', 'yunet', 'rfb'] as const;

export type DetectorFamily = (typeof DETECTOR_FAMILIES)[number];

export interface DetectorFile extends ModelFile {
  family: DetectorFamily;
  /** The second network of the family `rfb`, which finds 68 points in a crop of the box. */
  landmarks?: ModelFile;
  /** Side of the square input, in pixels, if the graph of a published detector takes no other. */
  inputSize?: number | undefined;
}

/** The order of an input's channels. */
export const CHANNEL_ORDERS = ['rgb', 'bgr'] as const;

export type ChannelOrder = (typeof CHANNEL_ORDERS)[number];

export interface RecogniserFile extends ModelFile {
  /** Side of the square aligned face, in pixels. */
  inputSize: number;
  channelOrder: ChannelOrder;
  /** Where alignment moves the five landmarks: x0, y0, x1, … in pixels of the input. Undefined for ArcFace's own places. */
  alignment?: readonly number[] | undefined;
  /** Length of an embedding according to the manifest. Undefined if only the graph states it. */
  embeddingSize?: number;
}

/** What the engine needs to know about a model pack. */
export interface ModelPack extends Provenance {
  name: string;
  /** How the pack was resolved. `synthetic` is for trying the API. */
  origin: 'catalogue' | 'manifest' | 'folder' | 'synthetic';
  detector: DetectorFile;
  recogniser: RecogniserFile;
  /** Bits of the weights of a pack that `npm run models -- quantise` made. */
  weightBits?: number | undefined;
  /** Embeddings are comparable if their spaces have the same name. */
  embeddingSpace: string;
}

/** Sides in pixels of the square inputs of each family, unless DETECTION_SIZES states others. docs/DETECTION.md has the measurements. */
const DETECTION_SIZES: Readonly<Record<DetectorFamily, readonly number[]>> = {
  scrfd: [128, 640],
  yunet: [256, 512],
  /** The longer side of the only input that its graph takes. */
  rfb: [RFB_INPUT.width],
};

/** @param configured DETECTION_SIZES, if it is set. It does not apply to a graph that takes a single size. */
export const detectionSizesOf = (
  { family, inputSize }: Pick<DetectorFile, 'family' | 'inputSize'>,
  configured: readonly number[] | undefined,
): readonly number[] => {
  if (inputSize !== undefined) return [inputSize];
  return (family === 'rfb' ? undefined : configured) ?? DETECTION_SIZES[family];
};

/** ArcFace's input normalisation. Source: insightface, model_zoo/arcface_onnx.py. */
export const RECOGNISER_PREPROCESSING: Preprocessing = { mean: 127.5, std: 127.5 };

/** For a graph that normalises its own input. */
export const NO_PREPROCESSING: Preprocessing = { mean: 0, std: 1 };

/** The input normalisation of each family, unless a manifest states another. */
export const DETECTOR_PREPROCESSING: Readonly<Record<DetectorFamily, Preprocessing>> = {
  /** Source: insightface, model_zoo/scrfd.py. */
  scrfd: { mean: 127.5, std: 128 },
  /** Source: opencv, modules/objdetect/src/face_detect.cpp. */
  yunet: NO_PREPROCESSING,
  /** Source: Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB, caffe and onnx examples. */
  rfb: { mean: 127, std: 128 },
};

/** The grey input of the second network of `rfb`. Source: Faceplugin-ltd/Open-Source-Face-Recognition-SDK, face_landmark/GetLandmark.py. */
export const LANDMARKS_PREPROCESSING: Preprocessing = { mean: 0, std: 256 };

/** Side of ArcFace's square input, in pixels. */
export const RECOGNISER_INPUT_SIZE = 112;

/** Increase it when decoding, alignment or normalisation changes the embedding of the same picture. */
const EMBEDDING_RECIPE_VERSION: number = 1;

/** Everything besides the recogniser's file that decides what it sees of a face. */
export interface EmbeddingRecipe
  extends Pick<RecogniserFile, 'inputSize' | 'preprocessing' | 'channelOrder' | 'alignment'> {
  /** Another family puts the landmarks elsewhere, and with them the aligned face. */
  detectorFamily: DetectorFamily;
}

/** InsightFace's detector, SCRFD. */
export const STANDARD_DETECTOR = { family: 'scrfd', preprocessing: DETECTOR_PREPROCESSING.scrfd } as const;

/** InsightFace's recogniser, ArcFace. */
export const STANDARD_RECOGNISER = {
  inputSize: RECOGNISER_INPUT_SIZE,
  preprocessing: RECOGNISER_PREPROCESSING,
  channelOrder: 'rgb',
} as const;

const STANDARD_RECIPE: EmbeddingRecipe = {
  ...STANDARD_RECOGNISER,
  detectorFamily: STANDARD_DETECTOR.family,
};

/**
 * Names the space in which embeddings are comparable: the pack, the first 12 hex digits of its recogniser's SHA-256 and,
 * from version 2 on, the version of the preprocessing and alignment.
 *
 * @param recipe if it is not the standard one, it is hashed together with the file's SHA-256, because the same network gives other
 *   embeddings with it.
 */
export function embeddingSpaceOf(
  packName: string,
  recogniserSha256: string,
  recipe: EmbeddingRecipe = STANDARD_RECIPE,
): string {
  const version = EMBEDDING_RECIPE_VERSION === 1 ? '' : `:v${EMBEDDING_RECIPE_VERSION}`;
  const text = recipeAsText(recipe);
  const hash =
    text === recipeAsText(STANDARD_RECIPE)
      ? recogniserSha256
      : createHash('sha256').update(`${recogniserSha256} ${text}`).digest('hex');
  return `${packName}:${hash.slice(0, 12)}${version}`;
}

/** What differs from the standard without having always been here is added only if it differs: names of spaces never change. */
function recipeAsText({
  inputSize,
  preprocessing: { mean, std },
  channelOrder,
  alignment,
  detectorFamily,
}: EmbeddingRecipe): string {
  const additions = [
    channelOrder === STANDARD_RECIPE.channelOrder ? '' : ` ${channelOrder}`,
    alignment === undefined ? '' : ` alignment ${alignment.join(' ')}`,
    detectorFamily === STANDARD_RECIPE.detectorFamily ? '' : ` ${detectorFamily}`,
  ];
  return `${inputSize} ${mean} ${std}${additions.join('')}`;
}

/**
 * Names the space of a pack by how colour profiles are read. The name without an addition stands for InsightFace's own
 * preprocessing, which ignores them.
 */
export function withColourProfiles(pack: ModelPack, colourProfiles: ColourProfiles = 'ignore'): ModelPack {
  return colourProfiles === 'ignore' ? pack : { ...pack, embeddingSpace: `${pack.embeddingSpace}:icc` };
}

/** All networks of a pack. */
export function networksOf({
  detector,
  recogniser,
}: Pick<ModelPack, 'detector' | 'recogniser'>): ModelFile[] {
  return [detector, ...(detector.landmarks ? [detector.landmarks] : []), recogniser];
}
