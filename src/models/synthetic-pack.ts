import { type ModelHeader, writeModel } from './onnx/writer.ts';
import { syntheticDetector } from './synthetic/detector.ts';
import { syntheticRecogniser } from './synthetic/recogniser.ts';

/** The files of the pack, in its folder `models/synthetic`. */
export const SYNTHETIC_PACK_FILES = { detector: 'detector.onnx', recogniser: 'recogniser.onnx' } as const;

/** Old enough for every ONNX Runtime since 1.6. */
const HEADER: ModelHeader = { irVersion: 7, opset: 13, producer: 'face-embedding-service' };

export interface SyntheticPack {
  detector: Uint8Array<ArrayBuffer>;
  recogniser: Uint8Array<ArrayBuffer>;
}

/**
 * The two networks of `MODEL_NAME=synthetic`, as ONNX files: a stand-in for tests and for trying the API without
 * weights. It recognises nobody. The same code always gives the same bytes, which are committed; a change of the
 * recogniser's bytes starts a new embedding space.
 */
export function generateSyntheticPack(): SyntheticPack {
  return {
    detector: writeModel(HEADER, syntheticDetector()),
    recogniser: writeModel(HEADER, syntheticRecogniser()),
  };
}
