import { createHash } from 'node:crypto';
import { type ModelHeader, writeModel } from '../../src/onnx/writer.ts';
import { RECOGNISER_INPUT_SIZE } from '../../src/packs/pack.ts';
import { syntheticDetector } from './detector.ts';
import { syntheticRecogniser } from './recogniser.ts';

/** File names in the folder `models/synthetic`. */
export const SYNTHETIC_PACK_FILES = { detector: 'detector.onnx', recogniser: 'recogniser.onnx' } as const;

/** ONNX Runtime has supported these versions since 1.6. */
const HEADER: ModelHeader = { irVersion: 7, opset: 13, producer: 'face-embedding-service' };

export interface SyntheticPack {
  detector: Uint8Array<ArrayBuffer>;
  recogniser: Uint8Array<ArrayBuffer>;
}

/** How a pack differs from the committed one. */
export interface SyntheticPackOptions {
  /** Length of an embedding. */
  embeddingSize?: number;
  /** Side of the aligned face in pixels, a multiple of 16. */
  inputSize?: number;
  /** Whether the graphs normalise their input themselves. */
  embedded?: boolean;
}

/**
 * Generates the two networks of `MODEL_NAME=synthetic` as ONNX files, for tests and for trying the API without weights.
 * They cannot tell people apart. The output is reproducible and committed. A change of the recogniser's bytes
 * changes the embedding space.
 */
export function generateSyntheticPack({
  embeddingSize = 512,
  inputSize = RECOGNISER_INPUT_SIZE,
  embedded = false,
}: SyntheticPackOptions = {}): SyntheticPack {
  return {
    detector: writeModel(HEADER, syntheticDetector({ embedded })),
    recogniser: writeModel(HEADER, syntheticRecogniser({ inputSize, embeddingSize, embedded })),
  };
}

/** The licence file that a synthetic pack with a manifest contains. */
export const SYNTHETIC_LICENCE = {
  file: 'MODEL.LICENSE',
  text: "Synthetic pack, under this project's own licence\n\nIt was generated, not trained, and cannot tell people apart.\n",
} as const;

/** How a manifest names a pack and its files. */
interface PackNames {
  name?: string;
  files?: Readonly<Record<keyof SyntheticPack, string>>;
}

/** A version-2 manifest with every optional member. */
export function describeSyntheticPack(
  { detector, recogniser }: SyntheticPack,
  {
    embeddingSize = 512,
    inputSize = RECOGNISER_INPUT_SIZE,
    embedded = false,
    name = 'synthetic',
    files = SYNTHETIC_PACK_FILES,
  }: SyntheticPackOptions & PackNames = {},
) {
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  const preprocessing = embedded ? { preprocessing: 'embedded' } : {};
  return {
    manifest_version: 2,
    model_id: name,
    license: SYNTHETIC_LICENCE.file,
    tasks: {
      detection: {
        file: files.detector,
        sha256: sha256(detector),
        ...preprocessing,
        preprocessing_version: 'insightface-scrfd-1',
      },
      recognition: {
        file: files.recogniser,
        sha256: sha256(recogniser),
        ...preprocessing,
        preprocessing_version: 'insightface-arcface-1',
        input_size: [inputSize, inputSize],
        embedding_dimension: embeddingSize,
      },
    },
  };
}
